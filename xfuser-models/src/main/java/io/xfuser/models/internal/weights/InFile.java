package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A tensor as its mapped file has it (docs/adr 0073).
 *
 * @param tensor with the file's type
 * @param type that it is rounded or widened to where it is used
 */
public record InFile(NDArray tensor, ElementType type) {
  private static final String WEIGHT = ".weight";

  /** The parts of a linear layer, one below the other, if all of them are to be had there. */
  static ReadLayer layer(NDManager scope, Weights weights, Matrix matrix) {
    return read(scope, weights, matrix, WEIGHT + "_kept");
  }

  static ReadLayer table(NDManager scope, Weights weights, Matrix matrix) {
    return read(scope, weights, matrix, WEIGHT);
  }

  private static ReadLayer read(NDManager scope, Weights weights, Matrix matrix, String name) {
    List<InFile> parts = new ArrayList<>();
    for (String layer : matrix.layers().layers()) {
      for (Cut own : matrix.own()) {
        weights.inFile(scope, own, layer + WEIGHT, matrix.out(), matrix.in()).ifPresent(parts::add);
      }
    }
    if (parts.size() < matrix.layers().layers().size() * matrix.own().size()) {
      return ReadLayer.NONE;
    }
    Map<String, NDArray> tensors = new LinkedHashMap<>();
    long unseen = 0; // as if in the run's type: what ranks are said to have depends on no file
    for (int i = 0; i < parts.size(); i++) {
      tensors.put(i == 0 ? name : name + "_" + i, parts.get(i).tensor());
      unseen += parts.get(i).bytes() - ElementType.bytesOf(parts.get(i).tensor());
    }
    tensors.put(WEIGHT + "_type", Torch.empty(scope, parts.get(0).type(), 0));
    return new ReadLayer(tensors, unseen);
  }

  /** Bytes in the type of the run. */
  long bytes() {
    return tensor.size() * type.bytes();
  }
}
