package io.xfuser.models.internal.hunyuanvideo15;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Defaults;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.VaeDecoder;
import io.xfuser.models.internal.LatentPipeline;
import io.xfuser.models.internal.ModelSettings;
import io.xfuser.models.internal.Needs;
import io.xfuser.models.internal.PictureSizes;
import io.xfuser.models.internal.PipelineClass;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.scheduler.FlowSigmas;
import io.xfuser.models.internal.scheduler.LoopVariants;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.text.TextWidth;
import io.xfuser.models.internal.vae.VaeProvider;
import io.xfuser.nn.Patchify;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** A directory of HunyuanVideo 1.5 ({@code HunyuanVideo15Pipeline} in diffusers). */
final class HunyuanVideoPipeline extends LatentPipeline<HunyuanVideoConfig, JointConditioning> {
  private static final int FRAMES = 121;
  private static final int FPS = 24;
  private static final int STEPS = 50;
  private static final String GUIDER = "guider";

  private static final Kind KIND =
      new Kind(
          "hunyuanvideo15",
          ModelSettings.ofPrompts(
              InputConfig.NEGATIVE_PROMPT,
              InputConfig.NUM_FRAMES,
              InputConfig.GUIDANCE_RESCALE,
              InputConfig.SIGMAS));

  private final HunyuanVideoGuider guider;

  HunyuanVideoPipeline(PipelineComponents components) {
    super(KIND, components, needs(), HunyuanVideoConfig::from);
    components.check(Map.of(GUIDER, Set.of(HunyuanVideoGuider.CLASS)));
    guider = HunyuanVideoGuider.from(components.config(GUIDER, "guider_config.json"));
  }

  private static Needs needs() {
    return Needs.of("HunyuanVideo15Transformer3DModel")
        .text("", Ability.INNER)
        .text("_2", Ability.STATES, Ability.MASK)
        .vae(VaeProvider.Ability.VIDEOS);
  }

  @Override
  protected void check() {
    vae().requireChannels("out_channels", config().channels());
    super.check();
  }

  @Override
  protected List<TextWidth> textWidths() {
    return List.of(
        TextWidth.of("text_embed_dim", config().textWidth(), Map.of("", Ability.INNER)),
        TextWidth.of("text_embed_2_dim", config().glyphWidth(), Map.of("_2", Ability.STATES)));
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    if ((input.height() == null) != (input.width() == null)) {
      throw new ArgumentException(title() + " needs both height and width, or neither of them");
    }
    int scale = vae().scale();
    Size usual = HunyuanVideoSizes.usual(config().side(), scale);
    Size asked = PictureSizes.asked(input, usual);
    Size size = PictureSizes.roundedDown(title(), scale, asked);
    int later = (Objects.requireNonNullElse(input.numFrames(), FRAMES) - 1) / vae().temporalScale();
    LatentShape latents =
        latents(size, later + 1, config().channels(), new Patchify(1), LatentShape.Layout.VIDEO)
            .decodedTo(later * vae().temporalScale() + 1, FPS);
    GenerationRequest request =
        prescribed(
            GenerationRequest.of(input, size, latents, new Defaults(STEPS, 1, 1000, false))
                .withScheduler(
                    schedule(Objects.requireNonNullElse(input.numInferenceSteps(), STEPS))));
    return request.withGuidance(guider.options(input, scheduler(request.scheduler()).timesteps()));
  }

  private static SchedulerRequest schedule(int steps) {
    return new SchedulerRequest(steps, 0, null, FlowSigmas.toZero(steps + 1).subList(0, steps));
  }

  @Override
  protected SchedulerRequest usualRequest() {
    return schedule(TRIED_STEPS);
  }

  /** What the model is given is not scaled. */
  @Override
  public Scheduler scheduler(SchedulerRequest request) {
    return LoopVariants.unscaled(super.scheduler(request));
  }

  @Override
  public TransformerSpec<JointConditioning> transformer(Placement placement) {
    int glyphInner = (int) weightShape("context_embedder_2.linear_1.weight")[0];
    return new HunyuanVideo(config(), glyphInner, weights(placement));
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return new HunyuanVideoTextEncoder(components().on(placement), config().glyphWidth(), share);
  }

  @Override
  public VaeDecoder vaeDecoder(Placement placement) {
    return autoencoder().opened(placement, vae()::framesDecoder);
  }

  /** Opens directories of HunyuanVideo 1.5. */
  public static final class Provider extends PipelineClass {
    public Provider() {
      super(HunyuanVideoPipeline::new, "HunyuanVideo15Pipeline");
    }
  }
}
