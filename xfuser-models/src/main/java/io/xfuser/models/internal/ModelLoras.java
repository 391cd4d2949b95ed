package io.xfuser.models.internal;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.Lora;
import io.xfuser.model.PipelineComponents;
import io.xfuser.models.internal.lora.LoraCheck;
import io.xfuser.models.internal.parts.TwoTransformers;
import io.xfuser.models.internal.text.TextComponents;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.progress.Progress.Component;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What LoRAs may change in a diffusers directory: its transformers and its text encoders.
 *
 * @param model its short name
 * @param components the directory
 * @param names of all components
 */
record ModelLoras(String model, PipelineComponents components, Set<String> names) {
  static final String TRANSFORMER = "transformer";
  private static final String SECOND = TwoTransformers.SECOND;

  Set<Component> changed(Lora lora, ComponentWeights transformer, boolean lenient) {
    Map<String, Map<String, long[]>> all = new TreeMap<>();
    if (lora.second()) {
      return second(lora, transformer, lenient);
    }
    names.stream()
        .filter(name -> TextComponents.isEncoder(components, name))
        .forEach(name -> all.put(name, TextComponents.shapes(components, name)));
    all.put(TRANSFORMER, transformer.shapes());
    return new LoraCheck(model, all)
        .changed(lora, lenient).stream()
            .map(name -> name.equals(TRANSFORMER) ? Component.TRANSFORMER : Component.TEXT_ENCODER)
            .collect(Collectors.toSet());
  }

  /** The second transformer has what the first has. */
  private Set<Component> second(Lora lora, ComponentWeights transformer, boolean lenient) {
    if (!components.has(SECOND)) {
      throw new ModelException(
          "%s is for %s, but %s has one transformer".formatted(lora.title(), SECOND, model));
    }
    TwoTransformers.requireBoundary(components.index());
    new LoraCheck(model, Map.of(SECOND, transformer.shapes())).changed(lora, lenient);
    return Set.of(Component.TRANSFORMER);
  }
}
