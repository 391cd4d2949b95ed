package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a {@link WeightMap} has read. */
final class Entries {
  private final Map<String, NDArray> tensors = new LinkedHashMap<>();
  private long packedBytes; // beside those that tensors show

  // what lies in its file counts as what it is used as, so that all ranks and plans count alike

  void put(String name, NDArray tensor) {
    if (tensors.put(name, tensor) != null) {
      throw new IllegalStateException(name + " is read twice");
    }
  }

  void put(String name, ReadLayer layer) {
    layer.tensors().forEach((kind, tensor) -> put(name + kind, tensor));
    packedBytes += layer.unseenBytes();
  }

  Map<String, NDArray> tensors() {
    return tensors;
  }

  boolean onGpu() {
    return tensors.values().stream().allMatch(Torch::onGpu);
  }

  TensorMap map() {
    return TensorMap.of(tensors, packedBytes);
  }
}
