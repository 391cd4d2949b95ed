package io.xfuser.models.internal.qwenimage;

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
import io.xfuser.models.internal.PictureLoop;
import io.xfuser.models.internal.PictureSizes;
import io.xfuser.models.internal.PipelineClass;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.joint.JointPipeline;
import io.xfuser.models.internal.scheduler.DynamicShift;
import io.xfuser.models.internal.scheduler.FlowSigmas;
import io.xfuser.models.internal.text.ReadPictures;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.text.TextWidth;
import io.xfuser.models.internal.vae.VaeProvider;
import io.xfuser.scheduler.SchedulerProvider;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * A directory of Qwen-Image or Qwen-Image-Edit ({@code QwenImagePipeline} in diffusers, {@code
 * QwenImageImg2ImgPipeline} and {@code QwenImageInpaintPipeline} for requests with a picture,
 * {@code QwenImageEditPipeline}, {@code QwenImageEditInpaintPipeline} for its requests with a mask,
 * and {@code QwenImageEditPlusPipeline}).
 */
final class QwenImagePipeline extends JointPipeline<QwenImageConfig> {
  private static final int SAMPLE_SIZE = 128; // latents along each side where no size is given
  private static final int LONGEST_TEXT = 1024;
  private static final double GUIDANCE = 4; // against the negative prompt, where there is one
  private static final Defaults DEFAULTS = new Defaults(50, 1, 512, false);

  private static final Kind KIND =
      new Kind(
          "qwenimage",
          ModelSettings.ofPrompts(
              InputConfig.NEGATIVE_PROMPT,
              InputConfig.MAX_SEQUENCE_LENGTH,
              InputConfig.TRUE_CFG_SCALE,
              InputConfig.SIGMAS));

  private static final Set<Setting<?>> BEGINNING =
      Set.of(
          InputConfig.IMAGE,
          InputConfig.MASK_IMAGE,
          InputConfig.STRENGTH,
          InputConfig.PADDING_MASK_CROP);

  private static final PictureLoop LOOP = new PictureLoop(0.6, false, false);

  private final QwenImageTask task;

  QwenImagePipeline(PipelineComponents components) {
    super(KIND, components, needs(task(components)), QwenImageConfig::from);
    task = task(components);
  }

  private static QwenImageTask task(PipelineComponents components) {
    return QwenImageTask.of(components.index().getString("_class_name"));
  }

  private static Needs needs(QwenImageTask task) {
    Needs needs =
        Needs.of("QwenImageTransformer2DModel")
            .scheduler(SchedulerProvider.Ability.MU)
            .vae(VaeProvider.Ability.WHITENED);
    return task.edits()
        ? needs.text("", Ability.INNER, Ability.PICTURES)
        : needs.text("", Ability.INNER);
  }

  @Override
  protected void check() {
    requireLatents(config().channels(), config().tokenWidth());
    super.check();
    if (task.edits()) {
      ReadPictures.check(components());
    }
  }

  @Override
  protected List<TextWidth> textWidths() {
    return List.of(
        TextWidth.of("joint_attention_dim", config().textWidth(), Map.of("", Ability.INNER)));
  }

  @Override
  protected String title() {
    return task == QwenImageTask.DRAW
        ? name()
        : name() + (task == QwenImageTask.EDIT ? "_edit" : "_edit_plus");
  }

  @Override
  public Set<Setting<?>> settings() {
    boolean several = task == QwenImageTask.EDIT_PLUS;
    return ModelSettings.union(super.settings(), several ? Set.of(InputConfig.IMAGE) : BEGINNING);
  }

  @Override
  protected boolean seesSeveral() {
    return task == QwenImageTask.EDIT_PLUS;
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    requirePictures(input);
    if (!task.edits()) {
      int side = SAMPLE_SIZE * vae().scale();
      return begun(resolved(input, PictureSizes.asked(input, side)), LOOP);
    }
    autoencoder().checkEncoder();
    ReadPictures.checkPrompts(input.prompts());
    QwenImageEdit edit = QwenImageEdit.of(task, input, this::latents);
    GenerationRequest request =
        input.maskImage() == null
            ? resolved(input, edit.asked(input)).withReferences(edit.references())
            : edit.repainting(begun(resolved(input, edit.size()), LOOP.fitting()));
    if (request.guided()) {
      ReadPictures.checkPrompts(input.negativePrompts());
    }
    return request;
  }

  /** The request without pictures. */
  private GenerationRequest resolved(InputConfig input, Size asked) {
    Size size = PictureSizes.roundedDown(title(), vae().scale() * QwenImageConfig.PATCH, asked);
    LatentShape latents = latents(size);
    GenerationRequest request = GenerationRequest.of(input, size, latents, DEFAULTS);
    requireText(LONGEST_TEXT, request);
    return request
        .withGuidance(guidance(input))
        .withScheduler(schedule(request.scheduler().steps(), latents.axes().tokens()));
  }

  /** The prompt is weighed only where there is a negative one. */
  private static GuidanceOptions guidance(InputConfig input) {
    double weight = Objects.requireNonNullElse(input.trueCfgScale(), GUIDANCE);
    return new GuidanceOptions(input.negativePrompts().isEmpty() ? 1 : weight, 0, 0)
        .keepingLengths();
  }

  private LatentShape latents(Size size) {
    return packed(size, config().channels(), QwenImageConfig.PATCH);
  }

  @Override
  protected SchedulerRequest schedule(int steps, int tokens) {
    return new SchedulerRequest(
        steps, 0, DynamicShift.from(schedulerConfig()).mu(tokens), FlowSigmas.even(steps));
  }

  /** Prompts are filled up to the longest one, and what fills them up is attended. */
  @Override
  public boolean drawsAlike() {
    return false;
  }

  @Override
  public TransformerSpec<JointConditioning> transformer(Placement placement) {
    return new QwenImage(config(), weights(placement));
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return new QwenImageTextEncoder(components().on(placement), share, task);
  }

  /** Opens directories of Qwen-Image and Qwen-Image-Edit. */
  public static final class Provider extends PipelineClass {
    public Provider() {
      super(
          QwenImagePipeline::new,
          Arrays.stream(QwenImageTask.values())
              .flatMap(task -> task.classNames().stream())
              .toArray(String[]::new));
    }
  }
}
