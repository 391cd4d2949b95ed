package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.weights.ReadBytes;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;

/**
 * A tensor as its mapped file has it (docs/adr 0073).
 *
 * @param tensor with the file's type, of any layout
 * @param type that it is rounded or widened to where it is used
 * @param using is run when it is taken
 */
public record InFile(NDArray tensor, ElementType type, Runnable using) {
  /** The same, by another account of what is taken. */
  InFile told(Runnable other) {
    return new InFile(tensor, type, other);
  }

  /**
   * The parts of {@code matrix}, one below the other, if all of them are to be had there and are
   * better multiplied there than copied.
   */
  static ReadLayer layer(NDManager scope, Weights weights, Matrix matrix) {
    List<InFile> parts = parts(scope, weights, matrix);
    boolean suit = parts.stream().allMatch(part -> part.suits(matrix, weights.keepsTypes()));
    return suit ? taken(scope, parts, Parts.WEIGHT_KEPT) : ReadLayer.NONE;
  }

  /** The same for a table, of which some rows are used: whatever its type, and by its own name. */
  static ReadLayer table(NDManager scope, Weights weights, Matrix matrix) {
    List<InFile> parts = parts(scope, weights, matrix);
    boolean suit = parts.stream().allMatch(InFile::isOfOtherType);
    return suit ? taken(scope, parts, Parts.WEIGHT) : ReadLayer.NONE;
  }

  private static List<InFile> parts(NDManager scope, Weights weights, Matrix matrix) {
    List<InFile> parts = new ArrayList<>();
    for (String layer : matrix.layers().layers()) {
      for (Cut own : matrix.own()) {
        weights
            .inFile(scope, own, layer + Parts.WEIGHT, matrix.out(), matrix.in())
            .ifPresent(parts::add);
      }
    }
    return parts.size() < matrix.parts() ? List.of() : parts;
  }

  private static ReadLayer taken(NDManager scope, List<InFile> parts, String name) {
    if (parts.isEmpty()) {
      return ReadLayer.NONE;
    }
    long unseen = 0; // as if in the run's type: what ranks are said to have depends on no file
    for (InFile part : parts) {
      part.using.run();
      ReadBytes.count(part.bytes());
      unseen += part.bytes() - ElementType.bytesOf(part.tensor);
    }
    List<NDArray> tensors = parts.stream().map(InFile::tensor).toList();
    return new ReadLayer(Parts.of(scope, tensors, parts.get(0).type(), name), unseen);
  }

  private boolean isOfOtherType() {
    return ElementType.of(tensor) != type;
  }

  /** Columns in the run's type are copied to be multiplied, unless that is what widening does. */
  private boolean suits(Matrix matrix, boolean keepsTypes) {
    return isOfOtherType()
        ? keepsTypes
        : matrix.isOfSomeColumns()
            && type != ElementType.FLOAT32
            && Torch.multipliesInFloat32(type);
  }

  /** Bytes in the type of the run. */
  long bytes() {
    return tensor.size() * type.bytes();
  }
}
