package io.xfuser.models.internal.lora;

import java.util.Map;
import java.util.Objects;

/**
 * What a LoRA has for one module.
 *
 * @param name the module as the file names it
 * @param keys the tensors' names in the file
 */
record LoraModule(String name, Map<LoraPart, String> keys) {
  boolean has(LoraPart part) {
    return keys.containsKey(part);
  }

  /** The name of a tensor that is there. */
  String key(LoraPart part) {
    return Objects.requireNonNull(keys.get(part), name);
  }

  /** One of the names, for messages. */
  String example() {
    return keys.values().iterator().next();
  }

  boolean isKronecker() {
    return keys.keySet().stream().anyMatch(part -> part.name().startsWith("KRONECKER"));
  }

  boolean isHadamard() {
    return keys.keySet().stream().anyMatch(part -> part.name().startsWith("HADAMARD"));
  }

  boolean isLowRank() {
    return has(LoraPart.DOWN) || has(LoraPart.UP);
  }

  /** Whether it says by how much the weight, not only the bias, changes. */
  boolean changesWeight() {
    return isLowRank() || isKronecker() || isHadamard();
  }
}
