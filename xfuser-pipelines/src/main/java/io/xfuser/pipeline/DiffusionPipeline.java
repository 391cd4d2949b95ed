package io.xfuser.pipeline;

import ai.djl.Device;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.HubException;
import io.xfuser.failure.ModelException;
import io.xfuser.hub.Hub;
import io.xfuser.internal.parallel.Fingerprint;
import io.xfuser.internal.runtime.KeptTexts;
import io.xfuser.internal.runtime.PlacedChoices;
import io.xfuser.internal.runtime.PlacedPipeline;
import io.xfuser.internal.runtime.Residents;
import io.xfuser.internal.runtime.Shared;
import io.xfuser.internal.weights.Lora;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.model.VaeDecoder;
import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Libtorch;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.LoadOptions;
import io.xfuser.weights.Placement;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A diffusers directory, opened. Its components are loaded by the ranks that need them; ranks of
 * one process share them, also those of several {@link XDiTParallel} on one pipeline: what they
 * need in one place is in memory once. It is closed after all of them.
 */
public final class DiffusionPipeline implements AutoCloseable {
  private final PipelineModel<?> model;
  private final ElementType type;
  private final @Nullable ModelConfig source;
  private final long textBytes;
  private final TransformerSpec<?> spec;
  private final LoraChoices loras;
  private final Residents.Sizes<?> sizes;
  private final Map<Placement, PlacedChoices<?>> placed = new ConcurrentHashMap<>();
  private final Placements placements = new Placements();
  private @Nullable Fingerprint fingerprint;

  private DiffusionPipeline(
      PipelineModel<?> model, ElementType type, @Nullable ModelConfig source) {
    this.model = model;
    this.type = type;
    this.source = source;
    try {
      ModelConfig config = source == null ? ModelConfig.builder(Path.of("")).build() : source;
      Path downloads = config.downloadDir();
      this.textBytes = config.textCacheBytes();
      this.spec = model.transformer(Placement.CPU);
      this.loras =
          new LoraChoices(
              model, config, () -> downloads == null ? hub() : hub().withCache(downloads));
      this.sizes = Residents.Sizes.of(model, loras.kept());
    } catch (RuntimeException e) {
      model.close();
      throw e;
    }
  }

  /** Opens {@code config}'s model in fp32. */
  public static DiffusionPipeline fromPretrained(ModelConfig config) {
    return fromPretrained(config, RuntimeConfig.builder().build());
  }

  /** Opens the engine's model in the engine's element type. */
  public static DiffusionPipeline fromPretrained(EngineConfig engine) {
    return fromPretrained(engine.model(), engine.runtime());
  }

  /**
   * Opens the model of {@code config}, which is downloaded if it is a name of the hub and not in
   * the cache; its class is the one in {@code model_index.json}.
   *
   * @throws ModelException in one sentence, if it is no pipeline, or a component is missing or not
   *     supported
   * @throws IllegalArgumentException in one sentence, if there is no such directory or model of the
   *     hub, or libtorch is not the version that DJL needs
   * @throws HubException in one sentence, if a download fails
   */
  public static DiffusionPipeline fromPretrained(ModelConfig config, RuntimeConfig runtime) {
    return open(config, runtime, DiffusionPipeline::hub, ProgressListener.NONE);
  }

  /**
   * The same, told how far it is: downloading and opening. The listener is called on this thread.
   *
   * @throws CancelledException if the listener does not want it to go on
   */
  public static DiffusionPipeline fromPretrained(
      ModelConfig config, RuntimeConfig runtime, ProgressListener listener) {
    ProgressListener guarded = new GuardedListener(listener);
    return open(config, runtime, () -> hub().withListener(guarded), guarded);
  }

  private static DiffusionPipeline open(
      ModelConfig config, RuntimeConfig runtime, Supplier<Hub> hub, ProgressListener listener) {
    Libtorch.requireFit();
    Path directory = locate(config, hub);
    long bytes = ModelSource.weightBytes(directory);
    tell(listener, new Progress.Opening(0, bytes));
    ModelConfig completed = OwnDefaults.complete(config, directory);
    LoadOptions loading = ModelSource.loading(config, completed, runtime);
    PipelineComponents opened = ModelSource.components(config.in(directory), loading, hub);
    PipelineProvider provider = ModelSource.provider(opened.index());
    PipelineModel<?> model = Calibrated.of(provider.open(opened), completed.cacheCalibration());
    model = OwnDefaults.of(model, directory);
    DiffusionPipeline pipeline = new DiffusionPipeline(model, runtime.dtype(), completed);
    try {
      tell(listener, new Progress.Opening(bytes, bytes));
      return pipeline;
    } catch (CancelledException e) {
      pipeline.close();
      throw e;
    }
  }

  private static void tell(ProgressListener listener, Progress progress) {
    if (!listener.progressed(progress)) {
      throw new CancelledException("cancelled while " + progress.doing());
    }
  }

  private static Hub hub() {
    return Hub.of(System.getenv());
  }

  /**
   * A pipeline of components that the caller has, for example with one of them exchanged; closes
   * them in the end.
   *
   * @param type the element type of their weights
   */
  public static DiffusionPipeline of(PipelineModel<?> model, ElementType type) {
    return new DiffusionPipeline(model, type, null);
  }

  /**
   * The directory of a model: the one that {@code config} has, else the snapshot of a model of the
   * hub, with what it lacked downloaded.
   *
   * @param hub is asked for only if {@code config} has no directory; the download directory of
   *     {@code config} takes the place of its cache
   * @throws IllegalArgumentException in one sentence, if there is no such model
   * @throws ModelException in one sentence, if its pipeline is not supported
   * @throws HubException in one sentence, if a download fails
   */
  public static Path locate(ModelConfig config, Supplier<Hub> hub) {
    return config
        .directory()
        .map(ModelSource::existing)
        .orElseGet(() -> ModelSource.fetch(config.name().orElseThrow(), config, hub.get()));
  }

  /** The model's short name. */
  public String name() {
    return model.name();
  }

  /** The components. */
  public PipelineModel<?> model() {
    return model;
  }

  /**
   * The engine that draws with this pipeline: with the model that was opened, where it is known.
   */
  EngineConfig drawing(EngineConfig engine) {
    return source == null ? engine : new EngineConfig(source, engine.runtime(), engine.parallel());
  }

  /** Bytes of all weights of the transformer that are in this process. */
  public long transformerBytes() {
    return placed.values().stream().mapToLong(PlacedChoices::transformerBytes).sum();
  }

  /**
   * Bytes of all weights of text encoders that are in this process, and of what sees pictures that
   * are prompts.
   */
  public long textEncoderBytes() {
    return placed.values().stream().mapToLong(PlacedChoices::textEncoderBytes).sum();
  }

  /** What ranks that draw together must have alike of the model. */
  synchronized Fingerprint fingerprint() {
    Fingerprint known = fingerprint;
    if (known == null) {
      known = Fingerprint.EMPTY.with("model", name());
      for (var content : model.contents().entrySet()) {
        known = known.with(content.getKey(), content.getValue());
      }
      if (source != null) {
        for (Setting<?> setting :
            List.of(
                ModelConfig.QUANTIZE,
                ModelConfig.QUANTIZE_TEXT_ENCODER,
                ModelConfig.WEIGHTS_DTYPE, // decides in which order some products are summed
                ModelConfig.TEXT_CACHE)) { // decides what is encoded together
          known = known.with(setting.name(), setting.textIn(source));
        }
      }
      known = known.with(ModelConfig.CACHE_CALIBRATION.name(), model.calibration());
      known = known.and(RequestFingerprint.loras("of the model", loras.own()));
      fingerprint = known;
    }
    return known;
  }

  /**
   * Refuses an engine that it cannot be drawn with.
   *
   * @param gpu whether its ranks compute on GPUs
   */
  void require(RuntimeConfig runtime, boolean gpu) {
    if (runtime.dtype() != type) { // weights are cast when they are loaded
      throw new ArgumentException(
          "the pipeline was opened in %s, but the engine computes in %s"
              .formatted(type.torchName(), runtime.dtype().torchName()));
    }
    if (source != null) {
      source.requireDevice(gpu);
    }
    runtime.attentionBackend().require(gpu, type, spec.headSize());
    if (runtime.shardTextEncoder() && model.shareableTextEncoders().isEmpty()) {
      throw new ArgumentException(
          RuntimeConfig.SHARD_TEXT_ENCODER
              + " needs a text encoder that can be shared, but "
              + name()
              + " has none");
    }
    model.check(new VaeDecoder.DecodeOptions(runtime.enableSlicing(), runtime.enableTiling()));
  }

  /** What the transformer is, without its weights. */
  TransformerSpec<?> spec() {
    return spec;
  }

  /** What its components take where one layer at a time is there. */
  Residents.Sizes<?> sizes() {
    return sizes;
  }

  /** The LoRAs of its requests. */
  LoraChoices loras() {
    return loras;
  }

  /** Where the components are for a rank of {@code engine} that computes on {@code device}. */
  Placement placement(EngineConfig engine, Device device, List<Lora> with) {
    return placements.of(engine, device, with);
  }

  /** The components in one place with the placement's LoRAs, which ranks there share. */
  Shared.Lease<? extends PlacedPipeline<?>> on(Placement placement) {
    return choices(placement).lease(placement.loras(), loras.changed(placement.loras()));
  }

  /** What is kept in one place, whatever its LoRAs. */
  PlacedChoices<?> choices(Placement placement) {
    return placed.computeIfAbsent(
        placement.with(List.of()),
        place -> new PlacedChoices<>(model, place, loras.kept(), new KeptTexts(textBytes)));
  }

  @Override
  public void close() {
    try {
      placements.close();
      placed.values().forEach(PlacedChoices::close);
      placed.clear();
    } finally {
      model.close();
    }
  }
}
