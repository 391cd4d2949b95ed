package io.xfuser.pipeline;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.hub.Hub;
import io.xfuser.internal.weights.Lora;
import io.xfuser.internal.weights.LoraSource;
import io.xfuser.model.PipelineModel;
import io.xfuser.progress.Progress.Component;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** The LoRAs of a pipeline and of its requests: found, and tried whether they fit. */
final class LoraChoices {
  private final PipelineModel<?> model;
  private final ModelConfig config;
  private final Supplier<Hub> hub;
  private final Map<Lora, Set<Component>> changed = new ConcurrentHashMap<>();
  private final List<Lora> own;

  /**
   * Those that {@code config} has.
   *
   * @throws RuntimeException if one of them is not found, or does not fit {@code model}
   */
  LoraChoices(PipelineModel<?> model, ModelConfig config, Supplier<Hub> hub) {
    this.model = model;
    this.config = config;
    this.hub = hub;
    this.own = found(config.loras());
  }

  /** What requests have that choose none. */
  List<Lora> own() {
    return own;
  }

  /** For how many choices weights are kept. */
  int kept() {
    return config.dynamicLora() ? config.loraCache() : 1;
  }

  /**
   * Those of a request.
   *
   * @throws ArgumentException if it chooses others than the pipeline's, and may not
   * @throws RuntimeException if one of them is not found, or does not fit
   */
  List<Lora> of(InputConfig input) {
    List<String> asked = input.loras();
    if (asked == null || asked.equals(config.loras())) {
      return own;
    }
    if (!config.dynamicLora()) {
      throw new ArgumentException(
          "%s of a request needs a pipeline with %s, but this one has %s alone"
              .formatted(
                  ModelConfig.LORA,
                  ModelConfig.DYNAMIC_LORA,
                  own.isEmpty() ? "none" : own.stream().map(Lora::title).toList()));
    }
    return found(asked);
  }

  private List<Lora> found(List<String> places) {
    List<Lora> loras = places.stream().map(this::found).toList();
    loras.forEach(this::changed);
    return loras;
  }

  private Lora found(String place) {
    LoraSource source = LoraSource.parse(place);
    Lora lora = LoraPlaces.find(source, hub);
    return source.second() ? lora.ofSecond() : lora;
  }

  /** The components that {@code loras} change. */
  Set<Component> changed(List<Lora> loras) {
    Set<Component> all = EnumSet.noneOf(Component.class);
    loras.forEach(lora -> all.addAll(changed(lora)));
    return all;
  }

  private Set<Component> changed(Lora lora) {
    return changed.computeIfAbsent(
        lora.scaled(1), one -> model.changedBy(one, config.loraIgnoreUnknown()));
  }
}
