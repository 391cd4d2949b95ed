package io.xfuser.models.internal.sana;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ModelException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Defaults;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder;
import io.xfuser.models.internal.AspectRatioBins;
import io.xfuser.models.internal.LatentPipeline;
import io.xfuser.models.internal.ModelSettings;
import io.xfuser.models.internal.Needs;
import io.xfuser.models.internal.PictureSizes;
import io.xfuser.models.internal.PipelineClass;
import io.xfuser.models.internal.scheduler.LoopVariants;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.text.TextWidth;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A directory of SANA ({@code SanaPipeline} in diffusers). */
class SanaPipeline extends LatentPipeline<SanaConfig, SanaConditioning> {
  /** The pipeline of SANA-Sprint that begins with a picture in any case. */
  static final String FROM_PICTURES = "SanaSprintImg2ImgPipeline";

  private static final List<String> SPRINTS = List.of("SanaSprintPipeline", FROM_PICTURES);

  private static final int USUAL_SIZE = 1024; // pixels along each side where no size is given
  private static final int MULTIPLE = 32; // pixels along each side, whatever the autoencoder
  private static final Defaults DEFAULTS = new Defaults(20, 4.5, 300, false);

  /** What both kinds take. */
  static final Set<Setting<?>> COMMON =
      ModelSettings.ofPrompts(
          InputConfig.MAX_SEQUENCE_LENGTH,
          InputConfig.COMPLEX_HUMAN_INSTRUCTION,
          InputConfig.USE_RESOLUTION_BINNING,
          InputConfig.CLEAN_CAPTION);

  private static final Kind KIND =
      new Kind(
          "sana",
          ModelSettings.union(
              COMMON,
              Set.of(
                  InputConfig.NEGATIVE_PROMPT,
                  InputConfig.ETA,
                  InputConfig.SIGMAS,
                  InputConfig.TIMESTEPS)));

  SanaPipeline(PipelineComponents components) {
    this(KIND, components, needs());
  }

  /** Of a kind that needs something else of its components. */
  SanaPipeline(Kind kind, PipelineComponents components, Needs needs) {
    super(kind, components, needs, SanaConfig::from);
  }

  static Needs needs() {
    return Needs.of("SanaTransformer2DModel").text("", Ability.INNER);
  }

  /** Whether the transformer is told the guidance, instead of being called twice. */
  boolean toldGuidance() {
    return false;
  }

  @Override
  protected void check() {
    if (config().guidanceScale().isPresent() != toldGuidance()) {
      throw new ModelException(
          "%s: a transformer of %s %s guidance_embeds"
              .formatted(
                  components().folder("transformer"),
                  components().index().getString("_class_name"),
                  toldGuidance() ? "needs" : "has no"));
    }
    requireLatents(config().patch().channels());
    super.check();
  }

  @Override
  protected List<TextWidth> textWidths() {
    return List.of(
        TextWidth.of("caption_channels", config().captionChannels(), Map.of("", Ability.INNER)));
  }

  Defaults defaults() {
    return DEFAULTS;
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    Size asked = PictureSizes.asked(input, USUAL_SIZE);
    int sample = config().sampleSize();
    Size size =
        input.binsResolution()
            ? AspectRatioBins.nearest(
                sample * MULTIPLE,
                asked.height(),
                asked.width(),
                "a sample_size of %d latents".formatted(sample))
            : asked;
    PictureSizes.requireMultiples(
        Math.max(MULTIPLE, vae().scale() * config().patch().size()), size);
    LatentShape latents = picture(size, config().patch().channels(), config().patch().size());
    return GenerationRequest.of(input, size, latents, defaults()).withOutput(asked);
  }

  @Override
  public Scheduler scheduler(SchedulerRequest request) {
    return LoopVariants.fullPrecision(scaled(super.scheduler(request)));
  }

  /** {@code scheduler} with inputs and noise as large as the loop has them. */
  Scheduler scaled(Scheduler scheduler) {
    return LoopVariants.unscaled(scheduler);
  }

  @Override
  public TransformerSpec<SanaConditioning> transformer(Placement placement) {
    return new Sana(config(), weights(placement));
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return new SanaTextEncoder(components().on(placement), share);
  }

  /** Opens directories of SANA. */
  public static final class Provider extends PipelineClass {
    public Provider() {
      super(
          components ->
              SPRINTS.contains(components.index().getString("_class_name"))
                  ? new SanaSprintPipeline(components)
                  : new SanaPipeline(components),
          "SanaPipeline",
          SPRINTS.get(0),
          FROM_PICTURES);
    }
  }
}
