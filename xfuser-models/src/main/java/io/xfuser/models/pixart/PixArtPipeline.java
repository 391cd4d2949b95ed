package io.xfuser.models.pixart;

import io.xfuser.config.InputConfig;
import io.xfuser.models.vae.AutoencoderKlConfig;
import io.xfuser.models.vae.AutoencoderKlDecoder;
import io.xfuser.pipeline.GenerationRequest;
import io.xfuser.pipeline.GenerationRequest.Latents;
import io.xfuser.pipeline.GenerationRequest.Size;
import io.xfuser.pipeline.PipelineModel;
import io.xfuser.pipeline.TextEncoder;
import io.xfuser.pipeline.VaeDecoder;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.scheduler.Schedulers;
import io.xfuser.torchscript.ElementType;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.SafeTensors;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A PixArt directory ({@code PixArtAlphaPipeline}, {@code PixArtSigmaPipeline} in diffusers). */
final class PixArtPipeline implements PipelineModel<PixArtConditioning> {
  private static final int DEFAULT_STEPS = 20;
  private static final double DEFAULT_GUIDANCE = 4.5;

  private final PixArtVariant kind;
  private final Path directory;
  private final ElementType type;
  private final @Nullable String variant;
  private final PixArtConfig transformer;
  private final AutoencoderKlConfig vae;
  private final ComponentConfig scheduler;
  private final SafeTensors weights;

  PixArtPipeline(PixArtVariant kind, Path directory, ElementType type, @Nullable String variant) {
    this.kind = kind;
    this.directory = directory;
    this.type = type;
    this.variant = variant;
    this.transformer = PixArtConfig.from(config("transformer", "config.json"));
    this.vae = AutoencoderKlConfig.from(config("vae", "config.json"));
    this.scheduler = config("scheduler", "scheduler_config.json");
    this.weights =
        SafeTensors.open(
            directory.resolve("transformer"), "diffusion_pytorch_model", type, variant);
  }

  private ComponentConfig config(String component, String file) {
    return ComponentConfig.read(directory.resolve(component).resolve(file));
  }

  @Override
  public String name() {
    return kind.name();
  }

  @Override
  public GenerationRequest resolve(InputConfig input) {
    rejectForeign(input);
    int defaultSide = transformer.sampleSize() * vae.scale();
    Size asked =
        new Size(
            Objects.requireNonNullElse(input.height(), defaultSide),
            Objects.requireNonNullElse(input.width(), defaultSide));
    Size size = asked;
    if (input.useResolutionBinning()) {
      if (transformer.sampleSize() > kind.largestSample()) {
        throw new IllegalArgumentException(
            kind.name()
                + " has no resolution bins for a sample size of "
                + transformer.sampleSize()
                + " latents; use --no_use_resolution_binning");
      }
      size = AspectRatioBins.nearest(transformer.sampleSize(), asked.height(), asked.width());
    }
    int multiple = vae.scale() * transformer.patchSize();
    if (size.height() % multiple != 0 || size.width() % multiple != 0) {
      throw new IllegalArgumentException(
          "height and width must be multiples of "
              + multiple
              + ", but are "
              + size.height()
              + " and "
              + size.width());
    }
    return new GenerationRequest(
        input,
        size.height(),
        size.width(),
        asked,
        new Latents(
            transformer.inChannels(),
            size.height() / vae.scale(),
            size.width() / vae.scale(),
            transformer.patchSize()),
        new SchedulerRequest(
            Objects.requireNonNullElse(input.numInferenceSteps(), DEFAULT_STEPS),
            Objects.requireNonNullElse(input.eta(), 0.0),
            null,
            null),
        Objects.requireNonNullElse(input.guidanceScale(), DEFAULT_GUIDANCE),
        new TextEncoder.Options(
            Objects.requireNonNullElse(input.maxSequenceLength(), kind.maxSequenceLength()),
            Objects.requireNonNullElse(input.cleanCaption(), true)));
  }

  private void rejectForeign(InputConfig input) {
    reject(input.prompts().isEmpty(), "a picture needs a prompt");
    reject(!input.classLabels().isEmpty(), kind.name() + " draws prompts, not class labels");
    reject(
        input.numFrames() != null && input.numFrames() != 1,
        kind.name() + " makes pictures, not videos of " + input.numFrames() + " frames");
    reject(
        input.trueCfgScale() != null, kind.name() + " has no true_cfg_scale; use guidance_scale");
    reject(
        input.guidanceRescale() != null && input.guidanceRescale() != 0,
        kind.name() + " has no guidance_rescale");
  }

  private static void reject(boolean wrong, String message) {
    if (wrong) {
      throw new IllegalArgumentException(message);
    }
  }

  @Override
  public TransformerSpec<PixArtConditioning> transformer() {
    return new PixArt(transformer, weights);
  }

  @Override
  public TextEncoder textEncoder() {
    return new PixArtTextEncoder(directory, type, variant);
  }

  @Override
  public VaeDecoder vaeDecoder() {
    return AutoencoderKlDecoder.open(directory.resolve("vae"), type, variant);
  }

  @Override
  public Scheduler scheduler(SchedulerRequest request) {
    return Schedulers.fromConfig(scheduler, request);
  }

  @Override
  public void close() {
    weights.close();
  }
}
