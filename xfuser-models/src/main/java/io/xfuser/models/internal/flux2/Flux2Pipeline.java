package io.xfuser.models.internal.flux2;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Defaults;
import io.xfuser.model.GenerationRequest.GuidanceOptions;
import io.xfuser.model.GenerationRequest.Reference;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder;
import io.xfuser.models.internal.ModelSettings;
import io.xfuser.models.internal.Needs;
import io.xfuser.models.internal.PictureSizes;
import io.xfuser.models.internal.PipelineClass;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.joint.JointPipeline;
import io.xfuser.models.internal.scheduler.FlowSigmas;
import io.xfuser.models.internal.text.TextComponents;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.text.TextWidth;
import io.xfuser.scheduler.SchedulerProvider;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;

/** A directory of Flux.2 ({@code Flux2Pipeline} and {@code Flux2KleinPipeline} in diffusers). */
final class Flux2Pipeline extends JointPipeline<Flux2Config> {
  /** The pipeline whose transformer is told the strength of the prompt. */
  static final String DEV = "Flux2Pipeline";

  /** The one whose transformer is not. */
  static final String KLEIN = "Flux2KleinPipeline";

  private static final int USUAL_SIZE = 1024; // pixels along each side where no size is given
  private static final Defaults DEFAULTS = new Defaults(50, 4, 512, false);

  private static final Kind KIND =
      new Kind(
          "flux2",
          ModelSettings.ofPrompts(
              InputConfig.MAX_SEQUENCE_LENGTH,
              InputConfig.SIGMAS,
              InputConfig.IMAGE,
              InputConfig.TEXT_ENCODER_OUT_LAYERS));

  private final Flux2Variant variant;

  Flux2Pipeline(PipelineComponents components, Flux2Variant variant) {
    super(KIND, components, needs(), config -> Flux2Config.from(config, variant.told()));
    this.variant = variant;
  }

  private static Needs needs() {
    return Needs.of("Flux2Transformer2DModel")
        .scheduler(SchedulerProvider.Ability.MU)
        .text("", Ability.INNER);
  }

  @Override
  protected void check() {
    if (vae().latentChannels() != config().channels()) {
      throw new ArgumentException(
          "%s: in_channels is %d, but the autoencoder of %s gives %d values for each token"
              .formatted(
                  config().origin(), config().channels(), vae().origin(), vae().latentChannels()));
    }
    super.check();
  }

  @Override
  protected List<TextWidth> textWidths() {
    return List.of(
        TextWidth.of(
            "joint_attention_dim",
            config().textWidth(),
            variant.layers().size(),
            Map.of("", Ability.INNER)));
  }

  @Override
  protected String title() {
    return variant.title();
  }

  @Override
  protected boolean seesSeveral() {
    return true;
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    List<Bitmap> seen = SeenPictures.read(input.images(), vae().scale());
    Size usual = seen.isEmpty() ? new Size(USUAL_SIZE, USUAL_SIZE) : size(seen.get(0));
    Size asked = PictureSizes.asked(input, usual);
    Size size = PictureSizes.roundedDown(title(), vae().scale(), asked);
    LatentShape latents = latents(size);
    GenerationRequest request = GenerationRequest.of(input, size, latents, DEFAULTS);
    requireLayers(request.text().outLayers());
    return request
        .withGuidance(guidance(request.guidance().scale()))
        .withScheduler(schedule(request.scheduler().steps(), latents.axes().tokens()))
        .withReferences(references(seen));
  }

  private static Size size(Bitmap picture) {
    return new Size(picture.height(), picture.width());
  }

  private LatentShape latents(Size size) {
    return packed(size, config().channels(), 1);
  }

  private List<Reference> references(List<Bitmap> seen) {
    if (!seen.isEmpty()) {
      autoencoder().checkEncoder();
    }
    return seen.stream().map(one -> new Reference(one, latents(size(one)))).toList();
  }

  private void requireLayers(List<Integer> layers) {
    TextComponents.requireStates(
        components(), TextComponents.ENCODER, InputConfig.TEXT_ENCODER_OUT_LAYERS, layers);
    int taken = variant.layers().size();
    if (!layers.isEmpty() && layers.size() != taken) {
      throw new ArgumentException(
          "%s names %s, but the transformer takes the states of %d layers"
              .formatted(InputConfig.TEXT_ENCODER_OUT_LAYERS, layers, taken));
    }
  }

  /** Against the empty prompt, unless that is distilled or the transformer is told. */
  private GuidanceOptions guidance(double scale) {
    boolean distilled = components().index().getBoolean("is_distilled", false);
    return new GuidanceOptions(variant.told() || distilled ? 1 : scale, 0, scale);
  }

  @Override
  protected SchedulerRequest schedule(int steps, int tokens) {
    return new SchedulerRequest(
        steps,
        0,
        EmpiricalShift.mu(tokens, steps),
        schedulerConfig().getBoolean("use_flow_sigmas", false) ? null : FlowSigmas.even(steps));
  }

  @Override
  public TransformerSpec<JointConditioning> transformer(Placement placement) {
    return new Flux2(config(), weights(placement));
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return new Flux2TextEncoder(components().on(placement), share, variant);
  }

  /** Opens directories of Flux.2 dev and klein. */
  public static final class Provider extends PipelineClass {
    public Provider() {
      super(
          components ->
              new Flux2Pipeline(
                  components,
                  components.index().getString("_class_name").equals(KLEIN)
                      ? Flux2Variant.KLEIN
                      : Flux2Variant.DEV),
          DEV,
          KLEIN);
    }
  }
}
