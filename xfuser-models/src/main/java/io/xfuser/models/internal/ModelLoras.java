package io.xfuser.models.internal;

import io.xfuser.internal.weights.Lora;
import io.xfuser.model.PipelineComponents;
import io.xfuser.models.internal.lora.LoraCheck;
import io.xfuser.models.internal.text.TextComponents;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.progress.Progress.Component;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What LoRAs may change in a diffusers directory: its transformer and its text encoders.
 *
 * @param model its short name
 * @param components the directory
 * @param names of all components
 */
record ModelLoras(String model, PipelineComponents components, Set<String> names) {
  static final String TRANSFORMER = "transformer";

  /** The components that {@code lora} changes. */
  Set<Component> changed(Lora lora, ComponentWeights transformer, boolean lenient) {
    Map<String, Map<String, long[]>> all = new TreeMap<>();
    names.stream()
        .filter(name -> TextComponents.isEncoder(components, name))
        .forEach(name -> all.put(name, TextComponents.shapes(components, name)));
    all.put(TRANSFORMER, transformer.shapes());
    return new LoraCheck(model, all)
        .changed(lora, lenient).stream()
            .map(name -> name.equals(TRANSFORMER) ? Component.TRANSFORMER : Component.TEXT_ENCODER)
            .collect(Collectors.toSet());
  }
}
