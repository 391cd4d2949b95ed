package io.xfuser.models.pixart;

import io.xfuser.config.InputConfig;
import io.xfuser.models.vae.AutoencoderKlConfig;
import io.xfuser.models.vae.AutoencoderKlDecoder;
import io.xfuser.pipeline.GenerationRequest;
import io.xfuser.pipeline.GenerationRequest.Defaults;
import io.xfuser.pipeline.GenerationRequest.Size;
import io.xfuser.pipeline.LatentShape;
import io.xfuser.pipeline.PipelineComponents;
import io.xfuser.pipeline.PipelineModel;
import io.xfuser.pipeline.Setting;
import io.xfuser.pipeline.TextEncoder;
import io.xfuser.pipeline.VaeDecoder;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.scheduler.Schedulers;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.SafeTensors;
import java.util.EnumSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** A PixArt directory ({@code PixArtAlphaPipeline}, {@code PixArtSigmaPipeline} in diffusers). */
final class PixArtPipeline implements PipelineModel<PixArtConditioning> {
  private static final Set<Setting> SETTINGS =
      EnumSet.of(
          Setting.PROMPT,
          Setting.NEGATIVE_PROMPT,
          Setting.IMAGES_PER_PROMPT,
          Setting.SIZE,
          Setting.MAX_SEQUENCE_LENGTH,
          Setting.ETA);

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
    Setting.check(kind.name(), input, SETTINGS);
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
    return GenerationRequest.of(
            input,
            size,
            LatentShape.picture(
                transformer.inChannels(),
                size.height() / vae.scale(),
                size.width() / vae.scale(),
                transformer.patchSize()),
            new Defaults(20, 4.5, kind.maxSequenceLength(), true))
        .withOutput(asked);
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
