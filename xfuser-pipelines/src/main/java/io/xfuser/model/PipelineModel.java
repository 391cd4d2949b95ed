package io.xfuser.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.Lora;
import io.xfuser.progress.Progress;
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
import org.jspecify.annotations.Nullable;

/**
 * The components of one diffusers directory. Nothing is loaded before it is asked for; what is
 * returned is closed by whoever asked.
 *
 * @param <C> the transformer's conditioning
 */
public interface PipelineModel<C> extends AutoCloseable {
  /** The model's short name, {@code pixart_sigma} for example; names output files. */
  String name();

  /**
   * Fills in the pipeline's defaults.
   *
   * @throws IllegalArgumentException if the model cannot do what is asked, with the numbers
   */
  GenerationRequest resolve(InputConfig input);

  /** What of a request it takes: all but what it refuses by name. */
  default Set<Setting<?>> settings() {
    return Set.copyOf(InputConfig.SETTINGS);
  }

  /** The transformer, whose parts are loaded to the device of {@code placement}. */
  TransformerSpec<C> transformer(Placement placement);

  /**
   * All transformers, {@link #transformer} first, in the order in which they take steps: often one;
   * several, of as many blocks and heads, where each is trained for a part of the way from noise.
   */
  default List<TransformerSpec<C>> transformers(Placement placement) {
    return List.of(transformer(placement));
  }

  /** Where each transformer after the first takes over; often none does. */
  default List<Handover> handovers(GenerationRequest request) {
    return List.of();
  }

  /**
   * Where another transformer takes over.
   *
   * @param timestep it takes the steps at timesteps below this one
   * @param guidance weight of the prompt in them, where prompts are weighed at all
   */
  record Handover(double timestep, double guidance) {}

  /**
   * Loads tokenizers and text encoders in {@code placement}; in shares, only {@code share} of the
   * {@link #shareableTextEncoders}, and the others only as the first.
   */
  TextEncoder textEncoder(Placement placement, Share share);

  /** Loads what sees pictures that are prompts, in {@code placement}; empty if there is none. */
  default Optional<TextEncoder.PictureEncoder> pictureEncoder(Placement placement) {
    return Optional.empty();
  }

  /** Whether a negative prompt's tensors are those of a prompt of the same words, alone. */
  default boolean encodesAlone(TextEncoder.TextOptions options) {
    return false;
  }

  /** The text encoders that can be loaded in shares, by their components' names; often one. */
  default List<String> shareableTextEncoders() {
    return List.of();
  }

  /** Loads the autoencoder's decoder, which computes on the device of {@code placement}. */
  VaeDecoder vaeDecoder(Placement placement);

  /** Loads the autoencoder's encoder, for requests that have {@link GenerationRequest#pictures}. */
  default VaeEncoder vaeEncoder(Placement placement) {
    throw new UnsupportedOperationException(name() + " encodes no pictures");
  }

  /**
   * Refuses ways to decode that the decoder does not have.
   *
   * @throws IllegalArgumentException naming them
   */
  default void check(VaeDecoder.DecodeOptions options) {}

  /** What the decoder needs room for. */
  default VaeDecoder.Footprint decoderSize() {
    return VaeDecoder.Footprint.UNKNOWN;
  }

  /** Which colours latents have, or each of p by p that are in one place. */
  default VaeDecoder.Colors colors() {
    return VaeDecoder.Colors.UNKNOWN;
  }

  /** What the encoder needs room for. */
  default VaeDecoder.Footprint encoderSize() {
    return VaeDecoder.Footprint.UNKNOWN;
  }

  /** Bytes that are read to load all of {@code component}, about; 0 where that is not known. */
  default long bytes(Progress.Component component) {
    return 0;
  }

  /**
   * The components that {@code lora} changes.
   *
   * @param lenient whether what of it fits nothing is left out, with a warning
   * @throws ModelException in one sentence with file and key, if it does not fit
   */
  default Set<Progress.Component> changedBy(Lora lora, boolean lenient) {
    throw new ModelException(name() + " takes no LoRA, but is given " + lora.title());
  }

  /** The transformer's blocks, by their numbers, that {@code request} does without; often none. */
  default Set<Integer> leftOut(GenerationRequest request) {
    return Set.of();
  }

  /** Whether a picture stays the same where others of other prompts are drawn together with it. */
  default boolean drawsAlike() {
    return true;
  }

  /** What is published for its transformer about step caches. */
  default Calibration calibration() {
    return Calibration.NONE;
  }

  /** The scheduler for one generation. */
  Scheduler scheduler(SchedulerRequest request);

  /** What of its files a picture depends on: digests by what they are of, the same on all ranks. */
  default Map<String, String> contents() {
    return Map.of();
  }

  @Override
  void close();

  /**
   * Has the components of another model but for its transformer; implementations change some.
   *
   * @param <C> the transformer's conditioning
   */
  public interface Forwarding<C> extends PipelineModel<C> {
    /** The other model, which is closed with this one. */
    PipelineModel<?> model();

    @Override
    default String name() {
      return model().name();
    }

    @Override
    default GenerationRequest resolve(InputConfig input) {
      return model().resolve(input);
    }

    @Override
    default boolean drawsAlike() {
      return model().drawsAlike();
    }

    @Override
    default Calibration calibration() {
      return model().calibration();
    }

    @Override
    default List<Handover> handovers(GenerationRequest request) {
      return model().handovers(request);
    }

    @Override
    default TextEncoder textEncoder(Placement placement, Share share) {
      return model().textEncoder(placement, share);
    }

    @Override
    default Optional<TextEncoder.PictureEncoder> pictureEncoder(Placement placement) {
      return model().pictureEncoder(placement);
    }

    @Override
    default boolean encodesAlone(TextEncoder.TextOptions options) {
      return model().encodesAlone(options);
    }

    @Override
    default List<String> shareableTextEncoders() {
      return model().shareableTextEncoders();
    }

    @Override
    default VaeDecoder vaeDecoder(Placement placement) {
      return model().vaeDecoder(placement);
    }

    @Override
    default VaeEncoder vaeEncoder(Placement placement) {
      return model().vaeEncoder(placement);
    }

    @Override
    default VaeDecoder.Footprint encoderSize() {
      return model().encoderSize();
    }

    @Override
    default void check(VaeDecoder.DecodeOptions options) {
      model().check(options);
    }

    @Override
    default VaeDecoder.Footprint decoderSize() {
      return model().decoderSize();
    }

    @Override
    default VaeDecoder.Colors colors() {
      return model().colors();
    }

    @Override
    default Set<Progress.Component> changedBy(Lora lora, boolean lenient) {
      return model().changedBy(lora, lenient);
    }

    @Override
    default Set<Setting<?>> settings() {
      return model().settings();
    }

    @Override
    default Set<Integer> leftOut(GenerationRequest request) {
      return model().leftOut(request);
    }

    @Override
    default Scheduler scheduler(SchedulerRequest request) {
      return model().scheduler(request);
    }

    @Override
    default Map<String, String> contents() {
      return model().contents();
    }

    @Override
    default void close() {
      model().close();
    }

    @Override
    default long bytes(Progress.Component component) {
      return model().bytes(component);
    }
  }

  /**
   * What has been measured of a transformer once, for step caches.
   *
   * @param polynomial TeaCache's, the highest power first: it makes of the relative change of the
   *     first block's modulated input that of the prediction; empty = not known
   * @param ratios MagCache's: how large the residual of each step is beside that of the step
   *     before, the first one's 1; for another number of steps the nearest ones count; empty = not
   *     known
   */
  record Calibration(
      @JsonProperty("teacache") List<Double> polynomial,
      @JsonProperty("magcache") List<Double> ratios) {
    /** Nothing known. */
    public static final Calibration NONE = new Calibration(List.of(), List.of());

    /** Copies; null is empty. */
    public Calibration(@Nullable List<Double> polynomial, @Nullable List<Double> ratios) {
      this.polynomial = List.copyOf(Objects.requireNonNullElse(polynomial, List.of()));
      this.ratios = List.copyOf(Objects.requireNonNullElse(ratios, List.of()));
    }
  }
}
