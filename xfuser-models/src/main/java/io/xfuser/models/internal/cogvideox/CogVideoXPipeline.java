package io.xfuser.models.internal.cogvideox;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Defaults;
import io.xfuser.model.GenerationRequest.GuidanceBounds;
import io.xfuser.model.GenerationRequest.GuidanceOptions;
import io.xfuser.model.GenerationRequest.LayerGuidance;
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
import io.xfuser.models.internal.scheduler.LoopVariants;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.text.TextWidth;
import io.xfuser.models.internal.vae.VaeProvider;
import io.xfuser.nn.Patchify;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A directory of CogVideoX or CogVideoX 1.5 ({@code CogVideoXPipeline} in diffusers). */
final class CogVideoXPipeline extends LatentPipeline<CogVideoXConfig, JointConditioning> {
  private static final int STEPS = 50;
  private static final double GUIDANCE = 6;
  private static final int TEXT_TOKENS = 226;
  private static final int FPS = 8;
  private static final int LATER_FPS = 16; // as 1.5 was trained

  private static final Kind KIND =
      new Kind(
          "cogvideox",
          ModelSettings.ofPrompts(
              InputConfig.NEGATIVE_PROMPT,
              InputConfig.NUM_FRAMES,
              InputConfig.MAX_SEQUENCE_LENGTH,
              InputConfig.USE_DYNAMIC_CFG));

  CogVideoXPipeline(PipelineComponents components) {
    super(KIND, components, needs(), CogVideoXConfig::from);
  }

  private static Needs needs() {
    return Needs.of("CogVideoXTransformer3DModel")
        .text("", Ability.STATES)
        .vae(VaeProvider.Ability.CLIPS);
  }

  @Override
  protected void check() {
    requireLatents(config().channels());
    super.check();
  }

  @Override
  protected List<TextWidth> textWidths() {
    return List.of(
        TextWidth.of("text_embed_dim", config().textWidth(), Map.of("", Ability.STATES)));
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    CogVideoXConfig.Usual usual = config().usual();
    int scale = vae().scale();
    Size size = PictureSizes.asked(input, new Size(usual.height() * scale, usual.width() * scale));
    Patchify patch = config().patch();
    PictureSizes.requireMultiples(Math.max(8, scale * patch.side()), size);
    int asked = Objects.requireNonNullElse(input.numFrames(), usual.frames());
    int frames = (asked - 1) / vae().temporalScale() + 1; // of latents
    int padding = Math.floorMod(-frames, patch.frames());
    LatentShape latents =
        latents(size, frames + padding, config().channels(), patch, LatentShape.Layout.CLIP)
            .decodedTo(decoded(frames), config().overFrames() ? LATER_FPS : FPS)
            .padded(padding);
    requirePlaces(latents.axes());
    GenerationRequest request =
        GenerationRequest.of(
            input, size, latents, new Defaults(STEPS, GUIDANCE, TEXT_TOKENS, false));
    requireText(request.text().maxSequenceLength());
    return request.withGuidance(guidance(request));
  }

  /** An odd number of latents' frames begins with one that stays one; an even number does not. */
  private int decoded(int frames) {
    int scale = vae().temporalScale();
    return frames % 2 == 1 ? (frames - 1) * scale + 1 : frames * scale;
  }

  private GuidanceOptions guidance(GenerationRequest request) {
    boolean dynamic = Boolean.TRUE.equals(request.input().get(InputConfig.USE_DYNAMIC_CFG));
    return new GuidanceOptions(
        request.guidance().scale(),
        0,
        0,
        LayerGuidance.NONE,
        false,
        GuidanceBounds.NONE,
        dynamic ? request.scheduler().steps() : 0);
  }

  /** Tables of 1.5 have as many rows and columns as the transformer was trained on. */
  private void requirePlaces(Axes axes) {
    int side = config().patch().side();
    int rows = config().usual().height() / side;
    int columns = config().usual().width() / side;
    if (config().overFrames() && (axes.rows() > rows || axes.columns() > columns)) {
      throw new ArgumentException(
          "%d × %d tokens (rows × columns) of a frame are too many: %s has places for %d × %d"
              .formatted(axes.rows(), axes.columns(), name(), rows, columns));
    }
  }

  /** What places add, diffusers adds to so many text tokens and the video's. */
  private void requireText(int tokens) {
    int text = config().usual().text();
    if (!config().places().rotary() && tokens != text) {
      throw new ArgumentException(
          "max_sequence_length is %d, but this model takes %d text tokens".formatted(tokens, text));
    }
  }

  @Override
  public Scheduler scheduler(SchedulerRequest request) {
    return LoopVariants.inSampleType(super.scheduler(request));
  }

  @Override
  public TransformerSpec<JointConditioning> transformer(Placement placement) {
    return new CogVideoX(config(), weights(placement));
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return new CogVideoXTextEncoder(components().on(placement), share);
  }

  @Override
  public VaeDecoder vaeDecoder(Placement placement) {
    return autoencoder().opened(placement, vae()::framesDecoder);
  }

  /** Opens directories of CogVideoX. */
  public static final class Provider extends PipelineClass {
    public Provider() {
      super(CogVideoXPipeline::new, "CogVideoXPipeline");
    }
  }
}
