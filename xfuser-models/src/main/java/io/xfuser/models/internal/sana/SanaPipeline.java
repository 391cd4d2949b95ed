package io.xfuser.models.internal.sana;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
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
final class SanaPipeline extends LatentPipeline<SanaConfig, SanaConditioning> {
  private static final String NAME = "sana";
  private static final int USUAL_SIZE = 1024; // pixels along each side where no size is given
  private static final int MULTIPLE = 32; // pixels along each side, whatever the autoencoder
  private static final Defaults DEFAULTS = new Defaults(20, 4.5, 300, false);

  private static final Set<Setting<?>> SETTINGS =
      ModelSettings.and(
          InputConfig.PROMPT,
          InputConfig.NEGATIVE_PROMPT,
          InputConfig.NUM_IMAGES_PER_PROMPT,
          InputConfig.HEIGHT,
          InputConfig.WIDTH,
          InputConfig.MAX_SEQUENCE_LENGTH,
          InputConfig.COMPLEX_HUMAN_INSTRUCTION,
          InputConfig.ETA,
          InputConfig.SIGMAS,
          InputConfig.TIMESTEPS,
          InputConfig.USE_RESOLUTION_BINNING,
          InputConfig.CLEAN_CAPTION);

  SanaPipeline(PipelineComponents components) {
    super(components, needs(), SanaConfig::from);
  }

  private static Needs needs() {
    return Needs.of("SanaTransformer2DModel").text("", Ability.INNER);
  }

  @Override
  protected void check() {
    requireLatents(config().patch().channels());
    super.check();
  }

  @Override
  protected List<TextWidth> textWidths() {
    return List.of(
        TextWidth.of("caption_channels", config().captionChannels(), Map.of("", Ability.INNER)));
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Set<Setting<?>> settings() {
    return SETTINGS;
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    Size asked = askedOr(USUAL_SIZE, input);
    int sample = config().sampleSize();
    Size size =
        input.binsResolution()
            ? AspectRatioBins.nearest(
                sample * MULTIPLE,
                asked.height(),
                asked.width(),
                "a sample_size of %d latents".formatted(sample))
            : asked;
    requireMultiples(Math.max(MULTIPLE, vae().scale() * config().patch().size()), size);
    LatentShape latents =
        LatentShape.picture(
            config().patch().channels(),
            size.height() / vae().scale(),
            size.width() / vae().scale(),
            config().patch().size());
    return GenerationRequest.of(input, size, latents, DEFAULTS).withOutput(asked);
  }

  @Override
  public Scheduler scheduler(SchedulerRequest request) {
    return LoopVariants.fullPrecision(LoopVariants.unscaled(super.scheduler(request)));
  }

  @Override
  public TransformerSpec<SanaConditioning> transformer(Placement placement) {
    return new Sana(config(), weights(placement));
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return new SanaTextEncoder(components().on(placement), share);
  }
}
