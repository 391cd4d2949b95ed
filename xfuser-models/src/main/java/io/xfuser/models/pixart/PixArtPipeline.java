package io.xfuser.models.pixart;

import io.xfuser.config.InputConfig;
import io.xfuser.models.vae.AutoencoderKlConfig;
import io.xfuser.models.vae.AutoencoderKlDecoder;
import io.xfuser.pipeline.GenerationRequest;
import io.xfuser.pipeline.GenerationRequest.Latents;
import io.xfuser.pipeline.GenerationRequest.Size;
import io.xfuser.pipeline.PipelineComponents;
import io.xfuser.pipeline.PipelineModel;
import io.xfuser.pipeline.TextEncoder;
import io.xfuser.pipeline.VaeDecoder;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.scheduler.Schedulers;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.SafeTensors;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** A PixArt directory ({@code PixArtAlphaPipeline}, {@code PixArtSigmaPipeline} in diffusers). */
final class PixArtPipeline implements PipelineModel<PixArtConditioning> {
  private static final int DEFAULT_STEPS = 20;
  private static final double DEFAULT_GUIDANCE = 4.5;

  private static final Map<String, Set<String>> CLASSES =
      Map.of(
          "tokenizer", Set.of("T5Tokenizer", "T5TokenizerFast"),
          "text_encoder", Set.of("T5EncoderModel"),
          "transformer", Set.of("PixArtTransformer2DModel", "Transformer2DModel"),
          "scheduler", Schedulers.CLASSES,
          "vae", Set.of("AutoencoderKL"));

  private final PixArtVariant kind;
  private final PipelineComponents components;
  private final PixArtConfig transformer;
  private final AutoencoderKlConfig vae;
  private final ComponentConfig scheduler;
  private final SafeTensors weights;

  PixArtPipeline(PixArtVariant kind, PipelineComponents components) {
    this.kind = kind;
    this.components = components.check(CLASSES);
    this.transformer = PixArtConfig.from(components.config("transformer", "config.json"));
    this.vae = AutoencoderKlConfig.from(components.config("vae", "config.json"));
    this.scheduler = components.config("scheduler", "scheduler_config.json");
    this.weights =
        SafeTensors.open(
            components.folder("transformer"),
            "diffusion_pytorch_model",
            components.type(),
            components.variant());
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
    return new PixArtTextEncoder(components);
  }

  @Override
  public VaeDecoder vaeDecoder() {
    return AutoencoderKlDecoder.open(
        components.folder("vae"), components.type(), components.variant());
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
