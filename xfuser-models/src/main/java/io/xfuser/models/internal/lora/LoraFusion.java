package io.xfuser.models.internal.lora;

import io.xfuser.internal.weights.Lora;
import io.xfuser.model.PipelineComponents;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.weights.Placement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Adds the LoRAs that a placement asks for to a component's weights, in their order, as they are
 * read. Files stay open as long as those of the component.
 */
public final class LoraFusion implements ComponentWeights.Decorator {
  private final String component;
  private final Map<Lora, LoraFile> open = new HashMap<>();

  private LoraFusion(String component) {
    this.component = component;
  }

  /** Component {@code name} of a pipeline, open, with what LoRAs add to it. */
  public static ComponentWeights of(PipelineComponents components, String name) {
    return ComponentWeights.open(components, name).decorated(new LoraFusion(name));
  }

  @Override
  public Weights over(Weights weights, ComponentWeights source, Placement placement) {
    List<Lora> own = placement.loras().stream().filter(lora -> lora.mayChange(component)).toList();
    if (own.isEmpty()) {
      return weights;
    }
    LoraTargets targets = LoraTargets.of(component, source.shapes());
    Map<String, List<LoraChange>> changes = new HashMap<>();
    for (Lora lora : own) {
      LoraFit.of(opened(lora), targets, lora.scale())
          .changes()
          .forEach(
              (name, more) -> changes.computeIfAbsent(name, x -> new ArrayList<>()).addAll(more));
    }
    return changes.isEmpty() ? weights : new LoraWeights(weights, changes, placement.device());
  }

  private synchronized LoraFile opened(Lora lora) {
    return open.computeIfAbsent(lora.scaled(1), one -> LoraFile.open(one.file()));
  }

  @Override
  public synchronized void close() {
    open.values().forEach(LoraFile::close);
    open.clear();
  }
}
