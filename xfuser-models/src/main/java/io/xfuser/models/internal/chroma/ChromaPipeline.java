package io.xfuser.models.internal.chroma;

import io.xfuser.config.InputConfig;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Defaults;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder;
import io.xfuser.models.internal.ModelSettings;
import io.xfuser.models.internal.Needs;
import io.xfuser.models.internal.PictureLoop;
import io.xfuser.models.internal.PictureSizes;
import io.xfuser.models.internal.PipelineClass;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.joint.JointPipeline;
import io.xfuser.models.internal.joint.StreamConfig;
import io.xfuser.models.internal.scheduler.DynamicShift;
import io.xfuser.models.internal.scheduler.FlowSigmas;
import io.xfuser.models.internal.text.ClipPictures;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.text.TextWidth;
import io.xfuser.scheduler.SchedulerProvider;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;

/**
 * A directory of Chroma ({@code ChromaPipeline} in diffusers, {@code ChromaImg2ImgPipeline} for
 * requests with a picture, {@code ChromaInpaintPipeline} of diffusers 0.37 with a mask).
 */
final class ChromaPipeline extends JointPipeline<ChromaConfig> {
  private static final int SAMPLE_SIZE = 128; // latents along each side where no size is given
  private static final int LONGEST_TEXT = 512;
  private static final PictureLoop BEGINNING = new PictureLoop(0.9, false, false);
  private static final PictureLoop REPAINTING = new PictureLoop(0.6, false, false);
  private static final Defaults DEFAULTS = new Defaults(35, 5, LONGEST_TEXT, false);
  private static final Defaults REPAINTED = new Defaults(28, 7, 256, false);

  private static final Kind KIND =
      new Kind(
          "chroma",
          ModelSettings.ofPrompts(
              InputConfig.NEGATIVE_PROMPT,
              InputConfig.MAX_SEQUENCE_LENGTH,
              InputConfig.SIGMAS,
              InputConfig.IMAGE,
              InputConfig.MASK_IMAGE,
              InputConfig.STRENGTH,
              InputConfig.IP_ADAPTER_IMAGE,
              InputConfig.NEGATIVE_IP_ADAPTER_IMAGE));

  ChromaPipeline(PipelineComponents components) {
    super(KIND, components, needs(), ChromaConfig::from);
  }

  private static Needs needs() {
    return Needs.of("ChromaTransformer2DModel")
        .scheduler(SchedulerProvider.Ability.MU)
        .text("", Ability.STATES, Ability.MASK)
        .adapters(ClipPictures.ENCODERS);
  }

  @Override
  protected void check() {
    requireLatents(config().streams().channels(), config().streams().tokenWidth());
    super.check();
    checkAdapters(config().streams());
  }

  @Override
  protected List<TextWidth> textWidths() {
    return List.of(
        TextWidth.of(
            "joint_attention_dim", config().streams().textWidth(), Map.of("", Ability.STATES)));
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    requirePictures(input);
    int scale = vae().scale();
    Size size =
        PictureSizes.roundedDown(
            name(), scale * StreamConfig.PATCH, PictureSizes.asked(input, SAMPLE_SIZE * scale));
    LatentShape latents = packed(size, config().streams().channels(), StreamConfig.PATCH);
    boolean anew = input.maskImage() != null;
    GenerationRequest request =
        adapters()
            .shown(
                GenerationRequest.of(input, size, latents, anew ? REPAINTED : DEFAULTS),
                one -> one != 0);
    requireText(LONGEST_TEXT, request);
    return begun(
        request.withScheduler(schedule(request.scheduler().steps(), latents.axes().tokens())),
        anew ? REPAINTING : BEGINNING);
  }

  @Override
  public TransformerSpec<JointConditioning> transformer(Placement placement) {
    return new Chroma(config(), weights(placement), adapters(config().streams(), placement));
  }

  @Override
  protected SchedulerRequest schedule(int steps, int tokens) {
    return new SchedulerRequest(
        steps, 0, DynamicShift.from(schedulerConfig()).mu(tokens), FlowSigmas.even(steps));
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return new ChromaTextEncoder(components().on(placement), share);
  }

  @Override
  public boolean encodesAlone(TextEncoder.TextOptions options) {
    return true;
  }

  /** Opens directories of Chroma: Chroma1-HD, Chroma1-Base, Chroma1-Flash. */
  public static final class Provider extends PipelineClass {
    public Provider() {
      super(
          ChromaPipeline::new, "ChromaPipeline", "ChromaImg2ImgPipeline", "ChromaInpaintPipeline");
    }
  }
}
