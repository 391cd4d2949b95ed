package io.xfuser.models.internal.zimage;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Picture;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.internal.picture.PictureFile;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Defaults;
import io.xfuser.model.GenerationRequest.GuidanceBounds;
import io.xfuser.model.GenerationRequest.GuidanceOptions;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder;
import io.xfuser.models.internal.FlowPipeline;
import io.xfuser.models.internal.ModelSettings;
import io.xfuser.models.internal.Needs;
import io.xfuser.models.internal.PictureLoop;
import io.xfuser.models.internal.PictureSizes;
import io.xfuser.models.internal.PipelineClass;
import io.xfuser.models.internal.scheduler.DynamicShift;
import io.xfuser.models.internal.scheduler.FlowSigmas;
import io.xfuser.models.internal.scheduler.LoopVariants;
import io.xfuser.models.internal.scheduler.Schedulers;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.text.TextWidth;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerProvider;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A directory of Z-Image or Z-Image-Turbo ({@code ZImagePipeline} in diffusers, {@code
 * ZImageImg2ImgPipeline} for requests with a picture, {@code ZImageInpaintPipeline} of diffusers
 * 0.37 with a mask).
 */
final class ZImagePipeline extends FlowPipeline<ZImageConfig, ZImageConditioning> {
  private static final int USUAL_SIZE = 1024; // pixels along each side where no size is given
  private static final PictureLoop BEGINNING = new PictureLoop(0.6, false, false);
  private static final PictureLoop REPAINTING = new PictureLoop(1, false, false).drawing();
  private static final Defaults DEFAULTS = new Defaults(50, 5, 512, false);

  private static final Kind KIND =
      new Kind(
          "zimage",
          ModelSettings.ofPrompts(
              InputConfig.NEGATIVE_PROMPT,
              InputConfig.MAX_SEQUENCE_LENGTH,
              InputConfig.SIGMAS,
              InputConfig.CFG_NORMALIZATION,
              InputConfig.CFG_TRUNCATION,
              InputConfig.IMAGE,
              InputConfig.MASK_IMAGE,
              InputConfig.STRENGTH));

  ZImagePipeline(PipelineComponents components) {
    super(KIND, components, needs(), ZImageConfig::from);
  }

  private static Needs needs() {
    return Needs.of("ZImageTransformer2DModel")
        .scheduler(SchedulerProvider.Ability.MU)
        .text("", Ability.INNER);
  }

  @Override
  protected void check() {
    requireLatents(config().channels());
    super.check();
  }

  @Override
  protected List<TextWidth> textWidths() {
    return List.of(TextWidth.of("cap_feat_dim", config().textWidth(), Map.of("", Ability.INNER)));
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    requirePictures(input);
    int scale = vae().scale();
    Size size = size(input, scale * ZImageConfig.PATCH);
    LatentShape latents = picture(size, config().channels(), ZImageConfig.PATCH);
    GenerationRequest request = GenerationRequest.of(input, size, latents, DEFAULTS);
    requirePlaces(latents.axes(), request.text().maxSequenceLength());
    boolean anew = input.maskImage() != null;
    return begun(
        request
            .withGuidance(guidance(request.guidance().scale(), anew).with(GuidanceBounds.of(input)))
            .withScheduler(schedule(request.scheduler().steps(), latents.axes().tokens())),
        anew ? REPAINTING : BEGINNING);
  }

  /** What is asked for; else that of the picture to begin with, without what is no whole token. */
  private Size size(InputConfig input, int multiple) {
    Size usual = new Size(USUAL_SIZE, USUAL_SIZE);
    Picture image = input.image();
    if (image != null && (input.height() == null || input.width() == null)) {
      Bitmap whole = PictureFile.read(InputConfig.IMAGE.name(), image);
      usual = PictureSizes.roundedDown(name(), multiple, new Size(whole.height(), whole.width()));
    }
    Size size = PictureSizes.asked(input, usual);
    PictureSizes.requireMultiples(multiple, size);
    return size;
  }

  /**
   * The weight that diffusers has is of what the prompt adds to itself, not to the other one. Where
   * a mask is painted anew, its loop guides with small ones, too.
   */
  private static GuidanceOptions guidance(double weight, boolean anew) {
    return new GuidanceOptions(weight > (anew ? 0 : 1) ? weight + 1 : 1, 0, 0);
  }

  private void requirePlaces(Axes axes, int text) {
    List<Integer> places = config().places();
    int filled = (text + ZImageConfig.MULTIPLE - 1) / ZImageConfig.MULTIPLE * ZImageConfig.MULTIPLE;
    if (filled + 2 > places.get(0)
        || axes.rows() > places.get(1)
        || axes.columns() > places.get(2)) {
      throw new ArgumentException(
          ("%d tokens of text (max_sequence_length) and %d × %d of the picture (height × width)"
                  + " have no place among %d, %d and %d")
              .formatted(
                  text, axes.rows(), axes.columns(), places.get(0), places.get(1), places.get(2)));
    }
  }

  /**
   * To a noise level of 0, after which a step changes nothing. A solver that has its own levels
   * alone is not told that.
   */
  @Override
  protected SchedulerRequest schedule(int steps, int tokens) {
    String name = schedulerConfig().className().orElse("");
    return new SchedulerRequest(
        steps,
        0,
        DynamicShift.from(schedulerConfig()).mu(tokens),
        Schedulers.with(Set.of(SchedulerProvider.Ability.SIGMAS)).contains(name)
            ? FlowSigmas.toZero(steps)
            : null);
  }

  @Override
  public Scheduler scheduler(SchedulerRequest request) {
    return LoopVariants.fullPrecisionOfNoise(super.scheduler(request));
  }

  @Override
  public TransformerSpec<ZImageConditioning> transformer(Placement placement) {
    return new ZImage(config(), weights(placement));
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return new ZImageTextEncoder(components().on(placement), share);
  }

  /** Opens directories of Z-Image and Z-Image-Turbo. */
  public static final class Provider extends PipelineClass {
    public Provider() {
      super(
          ZImagePipeline::new, "ZImagePipeline", "ZImageImg2ImgPipeline", "ZImageInpaintPipeline");
    }
  }
}
