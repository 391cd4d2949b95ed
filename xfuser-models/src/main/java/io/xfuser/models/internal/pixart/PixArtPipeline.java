package io.xfuser.models.internal.pixart;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Defaults;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder;
import io.xfuser.models.internal.AspectRatioBins;
import io.xfuser.models.internal.LatentPipeline;
import io.xfuser.models.internal.ModelSettings;
import io.xfuser.models.internal.Needs;
import io.xfuser.models.internal.PictureSizes;
import io.xfuser.models.internal.PipelineClass;
import io.xfuser.models.internal.adaln.AdaLn;
import io.xfuser.models.internal.adaln.AdaLnConditioning;
import io.xfuser.models.internal.adaln.AdaLnConfig;
import io.xfuser.models.internal.scheduler.LoopVariants;
import io.xfuser.models.internal.text.Captions;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.text.TextWidth;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Set;

/** A PixArt directory ({@code PixArtAlphaPipeline}, {@code PixArtSigmaPipeline} in diffusers). */
final class PixArtPipeline extends LatentPipeline<AdaLnConfig, AdaLnConditioning> {
  private static final String ALPHA = "PixArtAlphaPipeline";

  private static final Set<Setting<?>> SETTINGS =
      ModelSettings.ofPrompts(
          InputConfig.NEGATIVE_PROMPT,
          InputConfig.MAX_SEQUENCE_LENGTH,
          InputConfig.ETA,
          InputConfig.SIGMAS,
          InputConfig.TIMESTEPS,
          InputConfig.USE_RESOLUTION_BINNING,
          InputConfig.CLEAN_CAPTION);

  private final PixArtVariant kind;

  PixArtPipeline(PixArtVariant kind, PipelineComponents components) {
    super(new Kind(kind.name(), SETTINGS), components, needs(), PixArt::config);
    this.kind = kind;
  }

  private static Needs needs() {
    return Needs.of("PixArtTransformer2DModel", "Transformer2DModel")
        .text("", Ability.STATES, Ability.MASK);
  }

  @Override
  protected List<TextWidth> textWidths() {
    return List.of(config().textWidth());
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    AdaLnConfig transformer = config();
    Size asked = PictureSizes.asked(input, transformer.sampleSize() * vae().scale());
    Size size = asked;
    if (input.binsResolution()) {
      if (transformer.sampleSize() > kind.largestSample()) {
        throw new ArgumentException(
            kind.name()
                + " has no resolution bins for a sample size of "
                + transformer.sampleSize()
                + " latents; set use_resolution_binning false");
      }
      size =
          AspectRatioBins.nearest(
              transformer.sampleSize() * 8,
              asked.height(),
              asked.width(),
              "a sample size of %d latents".formatted(transformer.sampleSize()));
    }
    PictureSizes.requireMultiples(vae().scale() * transformer.patch().size(), size);
    return GenerationRequest.of(
            input,
            size,
            picture(size, transformer.patch().channels(), transformer.patch().size()),
            new Defaults(20, 4.5, kind.maxSequenceLength(), true))
        .withOutput(asked);
  }

  @Override
  public Scheduler scheduler(SchedulerRequest request) {
    Scheduler scheduler = super.scheduler(request);
    return kind.originalInOneStep() ? LoopVariants.originalInOneStep(scheduler) : scheduler;
  }

  @Override
  public TransformerSpec<AdaLnConditioning> transformer(Placement placement) {
    return new AdaLn(config(), weights(placement));
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return Captions.open(components().on(placement), share);
  }

  @Override
  public boolean encodesAlone(TextEncoder.TextOptions options) {
    return true;
  }

  /** Opens PixArt-α and PixArt-Σ directories. */
  public static final class Provider extends PipelineClass {
    public Provider() {
      super(
          components ->
              new PixArtPipeline(
                  components.index().getString("_class_name").equals(ALPHA)
                      ? PixArtVariant.alpha()
                      : PixArtVariant.sigma(),
                  components),
          ALPHA,
          "PixArtSigmaPipeline");
    }
  }
}
