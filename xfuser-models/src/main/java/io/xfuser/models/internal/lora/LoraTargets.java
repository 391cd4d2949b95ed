package io.xfuser.models.internal.lora;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * The modules of one component, by all names by which LoRAs may call them.
 *
 * @param component {@code transformer} or {@code text_encoder_2}, for messages
 * @param shapes of its tensors, by their own names
 * @param rows by a name in which dots and underscores are the same
 */
record LoraTargets(String component, Map<String, long[]> shapes, Map<String, List<Rows>> rows) {
  private static final String WEIGHT = ".weight";
  private static final String BIAS = ".bias";
  private static final long[] NONE = {};

  /**
   * Rows of a module that some rows of a LoRA's matrix are added to.
   *
   * @param module by its own name
   * @param to the first row of the module
   * @param from the first row of the matrix
   * @param count how many rows
   */
  record Rows(String module, long to, long from, long count) {}

  /** Those of tensors of these shapes. */
  static LoraTargets of(String component, Map<String, long[]> shapes) {
    Set<String> tensors = shapes.keySet();
    LoraTargets targets = new LoraTargets(component, shapes, new HashMap<>());
    OtherNames.of(tensors).forEach(targets::add);
    for (String tensor : tensors) {
      if (!tensor.endsWith(WEIGHT) && !tensor.endsWith(BIAS) && targets.isAxial(tensor)) {
        targets.add(tensor, new OtherNames.Meaning(List.of(tensor), false));
      }
      if (tensor.endsWith(WEIGHT) && targets.isAxial(tensor)) {
        String module = tensor.substring(0, tensor.length() - WEIGHT.length());
        targets.add(module, new OtherNames.Meaning(List.of(module), false));
        if (module.endsWith(".to_out.0")) { // its layer's name in diffusers' old processors
          String layer = module.substring(0, module.length() - 2);
          targets.add(layer, new OtherNames.Meaning(List.of(module), false));
        }
      }
    }
    return targets;
  }

  private void add(String name, OtherNames.Meaning meaning) {
    List<Rows> all = new ArrayList<>();
    long from = 0;
    for (String module : meaning.modules()) {
      long count = shape(module)[0];
      if (meaning.swapped()) {
        long half = count / 2;
        all.add(new Rows(module, 0, half, half));
        all.add(new Rows(module, half, 0, half));
      } else {
        all.add(new Rows(module, 0, from, count));
      }
      from += count;
    }
    rows.put(LoraAddress.plain(name), List.copyOf(all));
  }

  /** What a module of a LoRA changes here; empty if it is none of this component. */
  List<Rows> of(LoraModule module) {
    LoraAddress address = LoraAddress.of(module.name());
    return address.mayBeOf(component) ? rows.getOrDefault(address.path(), List.of()) : List.of();
  }

  /** Whether a module of a LoRA is one of this component. */
  boolean has(LoraModule module) {
    return !of(module).isEmpty();
  }

  /** The component in a sentence. */
  String title() {
    return component.replace('_', ' ');
  }

  private boolean isAxial(String tensor) {
    return shapes.getOrDefault(tensor, NONE).length > 0;
  }

  /** The tensor that is a module's weight, or the whole of a module that is no layer. */
  String weight(String module) {
    return shapes.containsKey(module + WEIGHT) ? module + WEIGHT : module;
  }

  /** The shape of a module's weight. */
  long[] shape(String module) {
    return Objects.requireNonNull(shapes.get(weight(module)), module);
  }
}
