package io.xfuser.models.internal.flux;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Defaults;
import io.xfuser.model.GenerationRequest.GuidanceOptions;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder;
import io.xfuser.models.internal.ModelSettings;
import io.xfuser.models.internal.Needs;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.joint.JointPipeline;
import io.xfuser.models.internal.scheduler.DynamicShift;
import io.xfuser.models.internal.scheduler.FlowSigmas;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.nn.Patchify;
import io.xfuser.scheduler.SchedulerProvider;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.Objects;
import java.util.Set;

/** A Flux.1 directory ({@code FluxPipeline} in diffusers). */
final class FluxPipeline extends JointPipeline<FluxConfig> {
  private static final String NAME = "flux";
  private static final int SAMPLE_SIZE = 128; // latents along each side where no size is given
  private static final int LONGEST_TEXT = 512;

  private static final Set<Setting<?>> SETTINGS =
      Set.of(
          InputConfig.PROMPT,
          InputConfig.NEGATIVE_PROMPT,
          InputConfig.NUM_IMAGES_PER_PROMPT,
          InputConfig.HEIGHT,
          InputConfig.WIDTH,
          InputConfig.MAX_SEQUENCE_LENGTH,
          InputConfig.TRUE_CFG_SCALE);

  FluxPipeline(PipelineComponents components) {
    super(components, needs(), FluxConfig::from);
  }

  private static Needs needs() {
    return Needs.of("FluxTransformer2DModel")
        .scheduler(SchedulerProvider.Ability.MU)
        .text("", Ability.POOLED)
        .text("_2", Ability.STATES);
  }

  @Override
  protected void check() {
    requireLatents(config().channels(), config().tokenWidth());
    super.check();
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public GenerationRequest resolve(InputConfig input) {
    ModelSettings.check(NAME, input, SETTINGS);
    int scale = vae().scale();
    Size size = roundedDown(NAME, scale * FluxConfig.PATCH, askedOr(SAMPLE_SIZE * scale, input));
    LatentShape latents =
        new LatentShape(
            config().channels(),
            1,
            size.height() / scale,
            size.width() / scale,
            new Patchify(FluxConfig.PATCH),
            LatentShape.Layout.PACKED);
    GenerationRequest request =
        GenerationRequest.of(input, size, latents, new Defaults(28, 3.5, LONGEST_TEXT, false));
    requireText(LONGEST_TEXT, request);
    Double asked = input.negativePrompts().isEmpty() ? null : input.trueCfgScale();
    double weight = Objects.requireNonNullElse(asked, 1.0); // against the negative prompt
    return request
        .withGuidance(new GuidanceOptions(weight, 0, request.guidance().scale()))
        .withScheduler(schedule(request.scheduler().steps(), latents.axes().tokens()));
  }

  @Override
  protected SchedulerRequest schedule(int steps, int tokens) {
    return new SchedulerRequest(
        steps,
        0,
        DynamicShift.from(schedulerConfig()).mu(tokens),
        schedulerConfig().getBoolean("use_flow_sigmas", false) ? null : FlowSigmas.even(steps));
  }

  @Override
  public TransformerSpec<JointConditioning> transformer(Placement placement) {
    return new Flux(config(), weights(placement));
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return new FluxTextEncoder(components().on(placement), share);
  }
}
