package io.xfuser.models.internal.wan;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Defaults;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeEncoder;
import io.xfuser.models.internal.FramePictures;
import io.xfuser.models.internal.LatentPipeline;
import io.xfuser.models.internal.ModelSettings;
import io.xfuser.models.internal.Needs;
import io.xfuser.models.internal.PictureSizes;
import io.xfuser.models.internal.PipelineClass;
import io.xfuser.models.internal.SecondTransformer;
import io.xfuser.models.internal.scheduler.LoopVariants;
import io.xfuser.models.internal.text.ClipPictures;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.text.TextWidth;
import io.xfuser.models.internal.vae.VaeProvider;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.progress.Progress.Component;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A directory of Wan ({@code WanPipeline} and {@code WanImageToVideoPipeline} in diffusers): of
 * 2.1, and of 2.2 with a transformer for noisy steps and one for the others, or with one whose
 * tokens have a timestep each.
 */
final class WanPipeline extends LatentPipeline<WanConfig, WanConditioning> {
  private static final Size USUAL = new Size(480, 832);
  private static final int FRAMES = 81;
  private static final int FPS = 16;
  private static final int DEEP = 16; // scale of 2.2's autoencoder
  private static final int DEEP_FPS = 24; // as TI2V-5B was trained
  private static final int MULTIPLE = 16; // pixels along each side, whatever the autoencoder
  private static final Defaults DEFAULTS = new Defaults(50, 5, 512, false);

  private static final Kind KIND =
      new Kind(
          "wan",
          ModelSettings.ofPrompts(
              InputConfig.NEGATIVE_PROMPT,
              InputConfig.NUM_FRAMES,
              InputConfig.MAX_SEQUENCE_LENGTH));

  private final FramePictures pictures;
  private Optional<SecondTransformer> second = Optional.empty();
  private long eyeBytes;

  WanPipeline(PipelineComponents components) {
    super(KIND, components, needs(), WanConfig::from);
    pictures = pictures(components);
  }

  private static Needs needs() {
    return Needs.of("WanTransformer3DModel")
        .severalTransformers()
        .orNone(ClipPictures.ENCODER, ClipPictures.ENCODERS)
        .orNone(ClipPictures.PROCESSOR, ClipPictures.PROCESSORS)
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
    String who = components().folder("transformer") + ": " + className();
    pictures.requireChannels(who, config().inputs(), config().channels());
    second = SecondTransformer.of(components(), config(), WanConfig::from);
    super.check();
    if (config().seesPictures()) {
      eyeBytes =
          ClipPictures.check(components(), config().pictureWidth(), config().picturePlaces());
    }
    transformers(Placement.CPU);
  }

  private FramePictures pictures(PipelineComponents components) {
    boolean stays = components.index().getBoolean("expand_timesteps", false);
    int read = config().picturePlaces() > 0 ? 2 : config().seesPictures() ? 1 : 0;
    boolean always = className().equals("WanImageToVideoPipeline");
    return FramePictures.of(always, stays, read, vae().temporalScale());
  }

  private String className() {
    return components().index().getString("_class_name");
  }

  @Override
  protected List<TextWidth> textWidths() {
    return List.of(TextWidth.of("text_dim", config().textWidth(), Map.of("", Ability.STATES)));
  }

  @Override
  public Set<Setting<?>> settings() {
    Set<Setting<?>> own = ModelSettings.union(super.settings(), pictures.settings());
    return second.isPresent()
        ? ModelSettings.union(own, Set.of(InputConfig.GUIDANCE_SCALE_2))
        : own;
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    int count = frames(Objects.requireNonNullElse(input.numFrames(), FRAMES));
    Size size = PictureSizes.asked(input, USUAL);
    int scale = vae().scale();
    PictureSizes.requireMultiples(Math.max(MULTIPLE, scale * config().patch().side()), size);
    LatentShape latents =
        latents(
                size,
                (count - 1) / vae().temporalScale() + 1,
                config().channels(),
                config().patch(),
                LatentShape.Layout.VIDEO)
            .decodedTo(count, scale == DEEP ? DEEP_FPS : FPS);
    requirePlaces(latents.axes());
    GenerationRequest request =
        pictures.begun(GenerationRequest.of(input, size, latents, DEFAULTS), className());
    if (request.encodesPictures()) {
      autoencoder().checkEncoder();
    }
    return request;
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
          "%d × %d × %d tokens (num_frames × height × width) are too many along an axis: %s has %d places"
              .formatted(axes.frames(), axes.rows(), axes.columns(), name(), config().positions()));
    }
  }

  /** Below a share of all timesteps the second transformer takes over, if there are two. */
  @Override
  public List<Handover> handovers(GenerationRequest request) {
    int timesteps = schedulerConfig().getInt("num_train_timesteps", 1000);
    return second.map(one -> one.handover(request, timesteps)).stream().toList();
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
    Stream<TransformerSpec<WanConditioning>> more =
        second.stream()
            .map(one -> new Wan(config(), one.weights(placement), one.exactWeights(placement)));
    return Stream.concat(Stream.of(transformer(placement)), more).toList();
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return new WanTextEncoder(components().on(placement), share, config().seesPictures());
  }

  @Override
  public VaeEncoder vaeEncoder(Placement placement) {
    return autoencoder().framesEncoder(placement);
  }

  @Override
  public VaeDecoder vaeDecoder(Placement placement) {
    return autoencoder().opened(placement, vae()::framesDecoder);
  }

  @Override
  public long bytes(Component component) {
    long more =
        switch (component) {
          case TRANSFORMER -> second.map(SecondTransformer::bytes).orElse(0L);
          case TEXT_ENCODER -> eyeBytes;
          default -> 0;
        };
    return super.bytes(component) + more;
  }

  @Override
  public void close() {
    super.close();
    second.ifPresent(SecondTransformer::close);
  }

  /** Opens directories of Wan. */
  public static final class Provider extends PipelineClass {
    public Provider() {
      super(WanPipeline::new, "WanPipeline", "WanImageToVideoPipeline");
    }
  }
}
