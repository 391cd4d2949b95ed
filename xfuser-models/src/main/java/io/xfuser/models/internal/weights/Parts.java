package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Matrices that are one product to programs and several in memory, as products.py has them. */
final class Parts {
  /** What follows a layer's name. */
  static final String WEIGHT = ".weight";

  /** What follows it where there are parts. */
  static final String WEIGHT_KEPT = WEIGHT + "_kept";

  private Parts() {}

  /**
   * {@code parts} by what follows the layer's name.
   *
   * @param parts one below the other
   * @param type that they are rounded to where they are used
   * @param name {@link #WEIGHT_KEPT}; {@link #WEIGHT} for a table
   */
  static Map<String, NDArray> of(
      NDManager scope, List<NDArray> parts, ElementType type, String name) {
    Map<String, NDArray> tensors = new LinkedHashMap<>();
    for (int i = 0; i < parts.size(); i++) {
      tensors.put(i == 0 ? name : name + "_" + i, parts.get(i));
    }
    tensors.put(WEIGHT + "_type", Torch.empty(scope, type, 0));
    return tensors;
  }

  /**
   * The layer that {@code parts} are: parts on a CPU that multiplies in fp32, where they may be the
   * mapped file and would be copied to be one matrix; else one, since the rest of what a product
   * more takes shows beside a quick one (docs/adr 0080).
   */
  static ReadLayer layer(NDManager scope, List<NDArray> parts) {
    if (parts.size() == 1) {
      return new ReadLayer(Map.of(WEIGHT, parts.get(0)), 0);
    }
    ElementType type = ElementType.of(parts.get(0));
    return parts.stream().noneMatch(Torch::onGpu) && Torch.multipliesInFloat32(type)
        ? new ReadLayer(of(scope, parts, type, WEIGHT_KEPT), 0)
        : new ReadLayer(Map.of(WEIGHT, Torch.concat(scope, parts, 0)), 0);
  }
}
