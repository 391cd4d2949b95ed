package io.xfuser.models.internal.sd3;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Defaults;
import io.xfuser.model.GenerationRequest.LayerGuidance;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder;
import io.xfuser.models.internal.ModelSettings;
import io.xfuser.models.internal.Needs;
import io.xfuser.models.internal.PictureLoop;
import io.xfuser.models.internal.PictureSizes;
import io.xfuser.models.internal.PipelineClass;
import io.xfuser.models.internal.adapter.Adapters;
import io.xfuser.models.internal.adapter.TimedAdapter;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.joint.JointPipeline;
import io.xfuser.models.internal.scheduler.DynamicShift;
import io.xfuser.models.internal.text.SiglipPictures;
import io.xfuser.models.internal.text.TextComponents;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.text.TextWidth;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * A directory of Stable Diffusion 3 or 3.5 ({@code StableDiffusion3Pipeline} in diffusers, {@code
 * StableDiffusion3Img2ImgPipeline} and {@code StableDiffusion3InpaintPipeline} for requests with a
 * picture).
 */
final class SD3Pipeline extends JointPipeline<SD3Config> {
  private static final int LONGEST_TEXT = 512;
  private static final String TEXT_WIDTH = "joint_attention_dim";

  /** The scheduler that has a {@code max_shift} of its own where the configuration has none. */
  private static final String FLOW_MATCH = "FlowMatchEulerDiscreteScheduler";

  /** That of the pipeline, for all others. */
  private static final double MAX_SHIFT = 1.16;

  private static final Kind KIND =
      new Kind(
          "sd3",
          ModelSettings.ofPrompts(
              InputConfig.NEGATIVE_PROMPT,
              InputConfig.MAX_SEQUENCE_LENGTH,
              InputConfig.PROMPT_2,
              InputConfig.PROMPT_3,
              InputConfig.NEGATIVE_PROMPT_2,
              InputConfig.NEGATIVE_PROMPT_3,
              InputConfig.CLIP_SKIP,
              InputConfig.SIGMAS,
              InputConfig.MU,
              InputConfig.SKIP_GUIDANCE_LAYERS,
              InputConfig.SKIP_LAYER_GUIDANCE_SCALE,
              InputConfig.SKIP_LAYER_GUIDANCE_START,
              InputConfig.SKIP_LAYER_GUIDANCE_STOP,
              InputConfig.IMAGE,
              InputConfig.MASK_IMAGE,
              InputConfig.STRENGTH,
              InputConfig.PADDING_MASK_CROP,
              InputConfig.IP_ADAPTER_IMAGE));

  SD3Pipeline(PipelineComponents components) {
    super(KIND, components, needs(), SD3Config::from);
  }

  private static Needs needs() {
    return Needs.of("SD3Transformer2DModel")
        .text("", Ability.PROJECTED, Ability.LAYERS)
        .text("_2", Ability.PROJECTED, Ability.LAYERS)
        .textOrNone("_3", Ability.STATES)
        .adapters(SiglipPictures.ENCODERS);
  }

  @Override
  protected void check() {
    super.check();
    for (TimedAdapter one : adapter(one -> one.weights().promised())) {
      checkAdapter(one);
    }
  }

  /** Refuses an adapter of another transformer, or of another encoder of pictures. */
  private void checkAdapter(TimedAdapter adapter) {
    SD3Config config = config();
    Inner heads = Inner.heads(config.heads(), config.headSize());
    WeightMap.of(adapter.weights(), w -> adapter.resampler(w, config.width())).close();
    int attentions = config.attentionsBefore(config.depth());
    WeightMap.of(adapter.weights(), w -> adapter.block(w, 0, attentions, heads)).close();
    checkEyes(adapter.seen());
  }

  private List<TimedAdapter> adapter(Function<Adapters.Adapter, Weights> opened) {
    List<Adapters.Adapter> all = adapters().all();
    return TimedAdapter.of(all, all.stream().map(opened).toList());
  }

  @Override
  protected List<TextWidth> textWidths() {
    return List.of(
        TextWidth.of(
            "pooled_projection_dim",
            config().pooledWidth(),
            Map.of("", Ability.PROJECTED, "_2", Ability.PROJECTED)),
        TextWidth.atMost(
            TEXT_WIDTH, config().textWidth(), Map.of("", Ability.LAYERS, "_2", Ability.LAYERS)),
        TextWidth.of(TEXT_WIDTH, config().textWidth(), Map.of("_3", Ability.STATES)));
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    requirePictures(input);
    int scale = vae().scale();
    int patch = config().patch().size();
    Size size = PictureSizes.asked(input, config().sampleSize() * scale);
    PictureSizes.requireMultiples(scale * patch, size);
    LatentShape latents = picture(size, config().patch().channels(), patch);
    Axes axes = latents.axes();
    if (Math.max(axes.rows(), axes.columns()) > config().table()) {
      throw new ArgumentException(
          "%d x %d pixels are %d x %d tokens, but the model has positions for %d x %d"
              .formatted(
                  size.height(),
                  size.width(),
                  axes.rows(),
                  axes.columns(),
                  config().table(),
                  config().table()));
    }
    int steps = input.image() == null ? 28 : 50;
    GenerationRequest request =
        shown(GenerationRequest.of(input, size, latents, new Defaults(steps, 7, 256, false)));
    requireText(LONGEST_TEXT, request);
    List<Integer> states = List.of(SD3TextEncoder.STATE - request.text().clipSkip());
    for (String name : List.of(TextComponents.ENCODER, TextComponents.ENCODER + "_2")) {
      TextComponents.requireStates(components(), name, InputConfig.CLIP_SKIP, states);
    }
    boolean masked = input.maskImage() != null; // diffusers' inpainting forgets to shift back
    return begun(
        request
            .withGuidance(request.guidance().with(layers(input)))
            .withScheduler(schedule(request.scheduler().steps(), axes.tokens())),
        new PictureLoop(0.6, false, masked));
  }

  private GenerationRequest shown(GenerationRequest request) {
    int pictures = request.input().listed(InputConfig.IP_ADAPTER_IMAGE).size();
    if (pictures > 1) {
      throw new ArgumentException(
          "%s takes one %s, but %d are given"
              .formatted(name(), InputConfig.IP_ADAPTER_IMAGE, pictures));
    }
    GenerationRequest shown = adapters().shown(request, scale -> scale > 0); // as in diffusers
    return shown.withPrompts(shown.prompts().with(shown.prompts().pictures().withZeros()));
  }

  private LayerGuidance layers(InputConfig input) {
    LayerGuidance layers = LayerGuidance.of(input);
    if (!layers.blocks().isEmpty() && input.image() != null) {
      throw new ArgumentException(
          InputConfig.SKIP_GUIDANCE_LAYERS + " and " + InputConfig.IMAGE + " exclude each other");
    }
    for (int block : layers.blocks()) {
      if (block >= config().depth()) {
        throw new ArgumentException(
            "skip_guidance_layers has %d, but the transformer has the layers 0 to %d"
                .formatted(block, config().depth() - 1));
      }
    }
    return layers;
  }

  @Override
  protected SchedulerRequest schedule(int steps, int tokens) {
    ComponentConfig config = schedulerConfig();
    if (!config.getBoolean("use_dynamic_shifting", false)) {
      return SchedulerRequest.of(steps);
    }
    DynamicShift shift =
        FLOW_MATCH.equals(config.className().orElse(FLOW_MATCH))
            ? DynamicShift.from(config)
            : DynamicShift.from(config, MAX_SHIFT);
    return new SchedulerRequest(steps, 0, shift.mu(tokens), null);
  }

  @Override
  public TransformerSpec<JointConditioning> transformer(Placement placement) {
    return new SD3(
        config(), weights(placement), adapter(one -> one.weights().handedOut(placement)));
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return new SD3TextEncoder(components().on(placement), config().textWidth(), share);
  }

  @Override
  public boolean encodesAlone(TextEncoder.TextOptions options) {
    return options.clipSkip() == 0; // which is for prompts alone
  }

  /** Opens directories of Stable Diffusion 3 and 3.5. */
  public static final class Provider extends PipelineClass {
    public Provider() {
      super(
          SD3Pipeline::new,
          "StableDiffusion3Pipeline",
          "StableDiffusion3Img2ImgPipeline",
          "StableDiffusion3InpaintPipeline");
    }
  }
}
