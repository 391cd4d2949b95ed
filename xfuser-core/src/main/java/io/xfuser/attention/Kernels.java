package io.xfuser.attention;

import ai.djl.ndarray.NDArray;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.Program;

/** The arithmetic of this package. */
final class Kernels {
  static final Program ATTENTION = Program.load(Kernels.class, "attention.py");

  private Kernels() {}

  /**
   * The name of {@code kernel} for the program, if it takes the queries of {@code packed} (B, L, 3,
   * H, D).
   *
   * @throws IllegalArgumentException if it does not, in one sentence
   */
  static String name(AttentionKernel kernel, NDArray packed) {
    if (kernel == AttentionKernel.CUDNN && packed.getDevice().isGpu()) {
      kernel.requireQueries(packed.getShape().get(1));
    }
    return kernel.kernelName();
  }
}
