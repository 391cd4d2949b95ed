package io.xfuser.models.internal.flux;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Defaults;
import io.xfuser.model.GenerationRequest.GuidanceOptions;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel.Calibration;
import io.xfuser.model.TextEncoder;
import io.xfuser.models.internal.ModelSettings;
import io.xfuser.models.internal.Needs;
import io.xfuser.models.internal.PictureLoop;
import io.xfuser.models.internal.PictureSizes;
import io.xfuser.models.internal.PipelineClass;
import io.xfuser.models.internal.adapter.Adapters;
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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A Flux.1 directory ({@code FluxPipeline} in diffusers, {@code FluxImg2ImgPipeline} and {@code
 * FluxInpaintPipeline} for requests with a picture, {@code FluxFillPipeline}, {@code
 * FluxKontextPipeline} and {@code FluxKontextInpaintPipeline} for their transformers).
 */
final class FluxPipeline extends JointPipeline<FluxConfig> {
  /** The pipeline whose transformer sees a mask. */
  static final String FILL = "FluxFillPipeline";

  private static final int SAMPLE_SIZE = 128; // latents along each side where no size is given
  private static final int LONGEST_TEXT = 512;

  private static final Kind KIND =
      new Kind(
          "flux",
          ModelSettings.ofPrompts(
              InputConfig.NEGATIVE_PROMPT,
              InputConfig.MAX_SEQUENCE_LENGTH,
              InputConfig.TRUE_CFG_SCALE,
              InputConfig.PROMPT_2,
              InputConfig.NEGATIVE_PROMPT_2,
              InputConfig.SIGMAS,
              InputConfig.IMAGE,
              InputConfig.MASK_IMAGE,
              InputConfig.STRENGTH,
              InputConfig.PADDING_MASK_CROP,
              InputConfig.IP_ADAPTER_IMAGE,
              InputConfig.NEGATIVE_IP_ADAPTER_IMAGE));

  /** What a transformer has not that sees the mask. */
  private static final Set<Setting<?>> NOT_OF_FILL =
      Set.of(
          InputConfig.NEGATIVE_PROMPT,
          InputConfig.NEGATIVE_PROMPT_2,
          InputConfig.TRUE_CFG_SCALE,
          InputConfig.PADDING_MASK_CROP,
          InputConfig.IP_ADAPTER_IMAGE,
          InputConfig.NEGATIVE_IP_ADAPTER_IMAGE);

  /** What a transformer has not that refers to the picture. */
  private static final Set<Setting<?>> NOT_OF_KONTEXT = Set.of(InputConfig.PADDING_MASK_CROP);

  /** What it alone has. */
  private static final Set<Setting<?>> OF_KONTEXT =
      Set.of(InputConfig.MAX_AREA, InputConfig.AUTO_RESIZE);

  private static final Defaults OF_PROMPTS = new Defaults(28, 3.5, LONGEST_TEXT, false);
  private static final Defaults OF_PICTURES = new Defaults(28, 7, LONGEST_TEXT, false);
  private static final Defaults OF_FILL = new Defaults(50, 30, LONGEST_TEXT, false);

  FluxPipeline(PipelineComponents components) {
    super(KIND, components, needs(), FluxConfig::from);
  }

  private static Needs needs() {
    return Needs.of("FluxTransformer2DModel")
        .scheduler(SchedulerProvider.Ability.MU)
        .text("", Ability.POOLED)
        .text("_2", Ability.STATES)
        .adapters(ClipPictures.ENCODERS);
  }

  @Override
  protected void check() {
    requireClass();
    if (fills()) {
      Adapters.refuse(components());
    }
    requireLatents(config().streams().channels(), config().tokenWidth());
    super.check();
    checkAdapters(config().streams());
  }

  /** A transformer sees a mask if it is Fill's, and no other does. */
  private void requireClass() {
    String pipeline = components().index().getString("_class_name");
    int side = StreamConfig.PATCH * vae().scale();
    int seen = fills() ? config().tokenWidth() + side * side : 0;
    if (config().besideWidth() != seen) {
      throw new ModelException(
          "%s: in_channels is %d, but a transformer of %s with out_channels %d must have %d"
              .formatted(
                  config().streams().origin(),
                  config().streams().inputWidth(),
                  pipeline,
                  config().tokenWidth(),
                  config().tokenWidth() + seen));
    }
  }

  private boolean fills() {
    return components().index().getString("_class_name").equals(FILL);
  }

  private boolean refers() {
    return Kontext.CLASSES.contains(components().index().getString("_class_name"));
  }

  @Override
  protected List<TextWidth> textWidths() {
    return List.of(
        TextWidth.of("pooled_projection_dim", config().pooledWidth(), Map.of("", Ability.POOLED)),
        TextWidth.of(
            "joint_attention_dim", config().streams().textWidth(), Map.of("_2", Ability.STATES)));
  }

  @Override
  protected String title() {
    return fills() ? name() + "_fill" : refers() ? name() + "_kontext" : name();
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    requirePictures(input);
    Size asked = PictureSizes.asked(input, SAMPLE_SIZE * vae().scale());
    Size size =
        PictureSizes.roundedDown(
            title(), multiple(), refers() ? kontext().drawn(input, asked) : asked);
    LatentShape latents = latents(size);
    GenerationRequest request =
        adapters()
            .shown(GenerationRequest.of(input, size, latents, defaults(input)), one -> one != 0);
    requireText(LONGEST_TEXT, request);
    if (input.negativePrompts().isEmpty() && input.has(InputConfig.NEGATIVE_PROMPT_2)) {
      throw new ArgumentException(
          InputConfig.NEGATIVE_PROMPT_2 + " needs " + InputConfig.NEGATIVE_PROMPT);
    }
    Double given = input.negativePrompts().isEmpty() ? null : input.trueCfgScale();
    double weight = Objects.requireNonNullElse(given, 1.0); // against the negative prompt
    GenerationRequest drawn =
        request
            .withGuidance(new GuidanceOptions(weight, 0, request.guidance().scale()))
            .withScheduler(schedule(request.scheduler().steps(), latents.axes().tokens()));
    if (!refers()) {
      return begun(drawn, new PictureLoop(fills() ? 1 : 0.6, fills(), false));
    }
    if (!input.images().isEmpty()) {
      autoencoder().checkEncoder();
    }
    return kontext().referring(Kontext.repaints(input) ? begun(drawn, Kontext.REPAINTING) : drawn);
  }

  private Kontext kontext() {
    return new Kontext(title(), new KontextSizes(multiple()), this::latents);
  }

  @Override
  protected boolean seesSeveral() {
    return refers();
  }

  /** Of what height and width must be multiples, in pixels. */
  private int multiple() {
    return vae().scale() * StreamConfig.PATCH;
  }

  private LatentShape latents(Size size) {
    return packed(size, config().streams().channels(), StreamConfig.PATCH);
  }

  @Override
  public Set<Setting<?>> settings() {
    Set<Setting<?>> settings = new HashSet<>(super.settings());
    if (fills()) {
      settings.removeAll(NOT_OF_FILL);
    } else if (refers()) {
      settings.removeAll(NOT_OF_KONTEXT);
      settings.addAll(OF_KONTEXT);
    }
    return settings;
  }

  private Defaults defaults(InputConfig input) {
    if (fills()) {
      return OF_FILL;
    }
    return input.image() == null || refers() ? OF_PROMPTS : OF_PICTURES;
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
  public Calibration calibration() {
    return FluxCalibration.PUBLISHED;
  }

  @Override
  public TransformerSpec<JointConditioning> transformer(Placement placement) {
    return new Flux(config(), weights(placement), adapters(config().streams(), placement));
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return new FluxTextEncoder(components().on(placement), share);
  }

  @Override
  public boolean encodesAlone(TextEncoder.TextOptions options) {
    return true;
  }

  /** Opens directories of Flux.1 schnell, dev, Fill and Kontext. */
  public static final class Provider extends PipelineClass {
    public Provider() {
      super(
          FluxPipeline::new,
          Stream.concat(
                  Kontext.CLASSES.stream(),
                  Stream.of("FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline", FILL))
              .toArray(String[]::new));
    }
  }
}
