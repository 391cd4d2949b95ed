package io.xfuser.models.internal.wan;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
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
import io.xfuser.models.internal.scheduler.LoopVariants;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.text.TextWidth;
import io.xfuser.models.internal.vae.VaeProvider;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.progress.Progress.Component;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.torchscript.ElementType;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A directory of Wan ({@code WanPipeline} in diffusers): of 2.1, and of 2.2 with a transformer for
 * noisy steps and one for the others, or with one whose tokens have a timestep each. Without a
 * picture to begin with these are all the same.
 */
final class WanPipeline extends LatentPipeline<WanConfig, WanConditioning> {
  private static final String NAME = "wan";
  private static final int HEIGHT = 480;
  private static final int WIDTH = 832;
  private static final int FRAMES = 81;
  private static final int FPS = 16;
  private static final int DEEP = 16; // scale of 2.2's autoencoder
  private static final int DEEP_FPS = 24; // as TI2V-5B was trained
  private static final int MULTIPLE = 16; // pixels along each side, whatever the autoencoder
  private static final Defaults DEFAULTS = new Defaults(50, 5, 512, false);

  private static final String FIRST = "transformer";
  private static final String SECOND = "transformer_2";
  private static final String BOUNDARY = "boundary_ratio";

  private static final Set<Setting<?>> SETTINGS =
      ModelSettings.and(
          InputConfig.PROMPT,
          InputConfig.NEGATIVE_PROMPT,
          InputConfig.NUM_IMAGES_PER_PROMPT,
          InputConfig.HEIGHT,
          InputConfig.WIDTH,
          InputConfig.NUM_FRAMES,
          InputConfig.MAX_SEQUENCE_LENGTH);

  private static final Set<Setting<?>> OF_TWO =
      ModelSettings.union(SETTINGS, Set.of(InputConfig.GUIDANCE_SCALE_2));

  private @Nullable ComponentWeights second;

  WanPipeline(PipelineComponents components) {
    super(components, needs(), WanConfig::from);
  }

  private static Needs needs() {
    return Needs.of("WanTransformer3DModel")
        .severalTransformers()
        .text("", Ability.STATES, Ability.MASK)
        .vae(VaeProvider.Ability.VIDEOS);
  }

  @Override
  protected void check() {
    if (vae().latentChannels() != config().channels()) {
      throw new ArgumentException(
          "%s: z_dim is %d, but out_channels of the transformer is %d"
              .formatted(vae().origin(), vae().latentChannels(), config().channels()));
    }
    if (config().inputs() != config().channels()) {
      throw new ArgumentException(
          "%s: in_channels is %d, but out_channels %d: this transformer begins with a picture"
              .formatted(components().folder(FIRST), config().inputs(), config().channels()));
    }
    if (hasTwo()) {
      second = second();
    }
    super.check();
    transformers(Placement.CPU);
  }

  private boolean hasTwo() {
    return components().index().has(BOUNDARY);
  }

  /** The transformer of the steps with less noise, which has the sizes of the first. */
  private ComponentWeights second() {
    if (!components().has(SECOND)) {
      throw new ModelException(
          "%s has a %s, but no %s".formatted(components().index().origin(), BOUNDARY, SECOND));
    }
    ComponentConfig settings = components().config(SECOND, "config.json").unquantized();
    WanConfig other = WanConfig.from(settings);
    if (!other.equals(config())) {
      throw new ModelException(
          "%s describes %s, but that of %s %s"
              .formatted(settings.origin(), other, FIRST, config()));
    }
    return ComponentWeights.open(components(), SECOND);
  }

  @Override
  protected List<TextWidth> textWidths() {
    return List.of(TextWidth.of("text_dim", config().textWidth(), Map.of("", Ability.STATES)));
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Set<Setting<?>> settings() {
    return hasTwo() ? OF_TWO : SETTINGS;
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    int frames = frames(Objects.requireNonNullElse(input.numFrames(), FRAMES));
    Size size =
        new Size(
            Objects.requireNonNullElse(input.height(), HEIGHT),
            Objects.requireNonNullElse(input.width(), WIDTH));
    int scale = vae().scale();
    requireMultiples(Math.max(MULTIPLE, scale * config().patch().side()), size);
    LatentShape latents =
        new LatentShape(
                config().channels(),
                (frames - 1) / vae().temporalScale() + 1,
                size.height() / scale,
                size.width() / scale,
                config().patch(),
                LatentShape.Layout.VIDEO)
            .decodedTo(frames, scale == DEEP ? DEEP_FPS : FPS);
    requirePlaces(latents.axes());
    return GenerationRequest.of(input, size, latents, DEFAULTS);
  }

  /** One more than a multiple of the autoencoder's frames, rounded as diffusers does. */
  private int frames(int asked) {
    int scale = vae().temporalScale();
    return asked % scale == 1 ? asked : Math.max(asked / scale * scale + 1, 1);
  }

  private void requirePlaces(Axes axes) {
    int longest = Math.max(axes.frames(), Math.max(axes.rows(), axes.columns()));
    if (longest > config().positions()) {
      throw new ArgumentException(
          "%d × %d × %d tokens (frames × rows × columns) are too many along an axis: %s has %d places"
              .formatted(axes.frames(), axes.rows(), axes.columns(), NAME, config().positions()));
    }
  }

  /** Below a share of all timesteps the second transformer takes over, if there are two. */
  @Override
  public List<Handover> handovers(GenerationRequest request) {
    if (!hasTwo()) {
      return List.of();
    }
    double boundary =
        components().index().getDouble(BOUNDARY)
            * schedulerConfig().getInt("num_train_timesteps", 1000);
    Double guidance = request.input().get(InputConfig.GUIDANCE_SCALE_2);
    return List.of(
        new Handover(boundary, Objects.requireNonNullElse(guidance, request.guidance().scale())));
  }

  /** Samples are in fp32, and what the model is given is not scaled. */
  @Override
  public Scheduler scheduler(SchedulerRequest request) {
    return LoopVariants.fullPrecision(LoopVariants.unscaled(super.scheduler(request)));
  }

  @Override
  public TransformerSpec<WanConditioning> transformer(Placement placement) {
    return new Wan(config(), weights(placement), exactWeights(placement));
  }

  @Override
  public List<TransformerSpec<WanConditioning>> transformers(Placement placement) {
    TransformerSpec<WanConditioning> first = transformer(placement);
    return second == null
        ? List.of(first)
        : List.of(
            first,
            new Wan(
                config(),
                second.handedOut(placement),
                second.handedOut(ElementType.FLOAT32, placement)));
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return new WanTextEncoder(components().on(placement), share);
  }

  @Override
  public VaeDecoder vaeDecoder(Placement placement) {
    return autoencoder().opened(placement, vae()::framesDecoder);
  }

  @Override
  public long bytes(Component component) {
    boolean two = component == Component.TRANSFORMER && second != null;
    return super.bytes(component) + (two ? Objects.requireNonNull(second).bytes() : 0);
  }

  @Override
  public void close() {
    super.close();
    if (second != null) {
      second.close();
    }
  }
}
