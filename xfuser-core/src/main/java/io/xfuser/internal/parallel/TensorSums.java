package io.xfuser.internal.parallel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Program;
import java.util.List;

/** The arithmetic of an all-reduce. */
final class TensorSums {
  private static final Program PROGRAM = Program.load(TensorSums.class, "sums.py");

  private TensorSums() {}

  /** All elements in one dimension. */
  static NDArray flat(NDManager owner, NDArray x) {
    return PROGRAM.call(owner, "flat", x);
  }

  static NDArray shaped(NDManager owner, NDArray flat, NDArray like) {
    return PROGRAM.call(owner, "shaped", flat, like);
  }

  /** The sum, added up in fp32 in the order given. */
  static NDArray sum(NDManager owner, List<NDArray> parts) {
    return PROGRAM.call(owner, "sum", parts);
  }
}
