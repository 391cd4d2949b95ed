package io.xfuser.models.internal;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.weights.Lora;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeEncoder;
import io.xfuser.models.internal.lora.LoraFusion;
import io.xfuser.models.internal.text.TextComponents;
import io.xfuser.models.internal.text.TextWidth;
import io.xfuser.models.internal.vae.Autoencoder;
import io.xfuser.models.internal.vae.Vae;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Patchify;
import io.xfuser.progress.Progress;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.torchscript.ElementType;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Placement;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * A diffusers directory whose transformer works in the latent space of an autoencoder: what all
 * such pipelines have alike.
 *
 * @param <T> the transformer's settings
 * @param <C> the transformer's conditioning
 */
public abstract class LatentPipeline<T, C> implements PipelineModel<C> {
  /** Steps of a request that is only tried: more of them are not possible with all settings. */
  protected static final int TRIED_STEPS = 1;

  private final Kind kind;
  private final PipelineComponents components;
  private final Set<String> names;
  private final T config;
  private final Autoencoder autoencoder;
  private final Schedules schedules;
  private final ComponentWeights weights;
  private long encoderBytes;

  /**
   * What tells a model's pipelines from those of others.
   *
   * @param name its short name
   * @param settings that its requests may have
   */
  public record Kind(String name, Set<Setting<?>> settings) {}

  /**
   * Checks the components, reads their settings and maps the transformer's weights.
   *
   * @param needs what the components must be and can do
   * @param reading makes the transformer's settings of its {@code config.json}
   * @throws IllegalArgumentException naming what is missing or not supported
   */
  protected LatentPipeline(
      Kind kind, PipelineComponents components, Needs needs, Function<ComponentConfig, T> reading) {
    this.kind = kind;
    Map<String, Set<String>> all = needs.classes(components);
    this.components = components.check(all);
    this.names = Set.copyOf(all.keySet());
    this.config = reading.apply(components.config("transformer", "config.json").unquantized());
    this.autoencoder = new Autoencoder(components);
    this.schedules = Schedules.of(components.config("scheduler", "scheduler_config.json"));
    this.weights = LoraFusion.of(components, ModelLoras.TRANSFORMER);
  }

  /**
   * Refuses what cannot be drawn with.
   *
   * @throws IllegalArgumentException naming the component and what is wrong with it
   */
  protected void check() {
    scheduler(usualRequest());
    autoencoder.check();
    encoderBytes = TextComponents.check(components, names);
    textWidths().forEach(width -> width.check(components));
    transformer(Placement.CPU);
  }

  /** The widths of texts that the transformer takes. */
  protected List<TextWidth> textWidths() {
    return List.of();
  }

  @Override
  public long bytes(Progress.Component component) {
    return switch (component) {
      case TRANSFORMER -> weights.bytes();
      case TEXT_ENCODER -> encoderBytes;
      case DECODER -> autoencoder.decoderBytes();
      case ENCODER -> autoencoder.encoderBytes();
      case PICTURE_ENCODER -> 0;
    };
  }

  @Override
  public final String name() {
    return kind.name();
  }

  @Override
  public Set<Setting<?>> settings() {
    return kind.settings();
  }

  /** What refusals call it: its name, or more where its kind takes other settings. */
  protected String title() {
    return name();
  }

  /** Whether its requests may have several pictures to look at. */
  protected boolean seesSeveral() {
    return false;
  }

  /** {@link #resolve}, with the schedule that the pipeline makes itself. */
  protected abstract GenerationRequest resolved(InputConfig input);

  @Override
  public final GenerationRequest resolve(InputConfig input) {
    ModelSettings.check(title(), input, settings());
    int pictures = input.images().size();
    if (pictures > 1 && !seesSeveral()) {
      throw new ArgumentException(
          "%s takes one %s, but %d are given".formatted(title(), InputConfig.IMAGE, pictures));
    }
    return schedules.checked(prescribed(resolved(input)));
  }

  /** {@code request} with the noise levels, timesteps and shift that the caller prescribes. */
  protected final GenerationRequest prescribed(GenerationRequest request) {
    return schedules.prescribed(request);
  }

  /** A request that this model could make of its scheduler, to find out whether it has settings. */
  protected SchedulerRequest usualRequest() {
    return SchedulerRequest.of(TRIED_STEPS);
  }

  @Override
  public final Set<Progress.Component> changedBy(Lora lora, boolean lenient) {
    return new ModelLoras(title(), components, names).changed(lora, weights, lenient);
  }

  @Override
  public final Map<String, String> contents() {
    return ModelContent.of(components);
  }

  protected final PipelineComponents components() {
    return components;
  }

  /** The transformer's settings. */
  protected final T config() {
    return config;
  }

  /** The autoencoder's settings. */
  protected final Vae vae() {
    return autoencoder.vae();
  }

  protected final Autoencoder autoencoder() {
    return autoencoder;
  }

  /** The scheduler's settings. */
  protected final ComponentConfig schedulerConfig() {
    return schedules.config();
  }

  /** The transformer's weights, handed out on the device of {@code placement}. */
  protected final Weights weights(Placement placement) {
    return weights.handedOut(placement);
  }

  /** The same in fp32, whatever the run's type. */
  protected final Weights exactWeights(Placement placement) {
    return weights.handedOut(ElementType.FLOAT32, placement);
  }

  /** The shape of a transformer's tensor. */
  protected final long[] weightShape(String name) {
    return weights.shape(name);
  }

  protected final LatentShape picture(Size size, int channels, int patch) {
    return latents(size, 1, channels, new Patchify(patch), LatentShape.Layout.PICTURE);
  }

  /** The latents of {@code size}, of so many frames, that the transformer has in this layout. */
  protected final LatentShape latents(
      Size size, int frames, int channels, Patchify patch, LatentShape.Layout layout) {
    int scale = vae().scale();
    return new LatentShape(
        channels, frames, size.height() / scale, size.width() / scale, patch, layout);
  }

  /**
   * Refuses an autoencoder of other latents than the transformer's.
   *
   * @param channels c, as the transformer has them
   * @throws IllegalArgumentException with both numbers
   */
  protected final void requireLatents(int channels) {
    if (vae().latentChannels() != channels) {
      throw new ArgumentException(
          "%s: latent_channels is %d, but in_channels of the transformer is %d"
              .formatted(vae().origin(), vae().latentChannels(), channels));
    }
  }

  /** Refuses more text tokens than {@code longest}, with both numbers. */
  protected final void requireText(int longest, GenerationRequest request) {
    int tokens = request.text().maxSequenceLength();
    if (tokens > longest) {
      throw new ArgumentException(
          "max_sequence_length is %d, but %s takes at most %d".formatted(tokens, title(), longest));
    }
  }

  /**
   * Whether the pipeline adds the autoencoder's {@code shift_factor}; most do not look at it. None
   * looks at {@code latents_mean} and {@code latents_std}.
   */
  protected boolean shifts() {
    return false;
  }

  @Override
  public VaeDecoder vaeDecoder(Placement placement) {
    Vae vae = shifts() ? vae() : vae().unshifted();
    return autoencoder.opened(placement, vae::decoder);
  }

  @Override
  public VaeEncoder vaeEncoder(Placement placement) {
    return autoencoder.encoder(placement, shifts());
  }

  @Override
  public void check(VaeDecoder.DecodeOptions options) {
    vae().check(options);
  }

  @Override
  public VaeDecoder.Footprint decoderSize() {
    return vae().footprint();
  }

  @Override
  public VaeDecoder.Colors colors() {
    return autoencoder.colors();
  }

  @Override
  public VaeDecoder.Footprint encoderSize() {
    return vae().encoderFootprint();
  }

  @Override
  public final List<String> shareableTextEncoders() {
    return names.stream()
        .filter(name -> TextComponents.isShareable(components, name))
        .sorted()
        .toList();
  }

  @Override
  public Scheduler scheduler(SchedulerRequest request) {
    return schedules.open(request);
  }

  @Override
  public void close() {
    weights.close();
  }
}
