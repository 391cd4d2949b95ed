package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;

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
    if (kernel == AttentionKernel.CUDNN && Torch.onGpu(packed)) {
      kernel.requireQueries(packed.getShape().get(1));
    }
    return kernel.kernelName();
  }

  /**
   * Keys and values of the text and of the image tokens of all ranks of {@code ring}, (B, T + l·R,
   * 2 or 3, H, D): the last two of the third dimension.
   */
  static NDArray gathered(NDManager owner, Qkv qkv, Communicator ring) {
    if (ring.size() == 1) {
      return qkv.packed();
    }
    NDArray own = keysAndValues(owner, qkv.packed()); // (B, t + l, 2, H, D)
    return new SharedText(qkv.text(), ring).first(owner, ring.startAllGather(own).await(owner));
  }

  /** Keys and values (B, L, 2, H, D) of {@code packed} (B, L, 2 or 3, H, D). */
  static NDArray keysAndValues(NDManager owner, NDArray packed) {
    return ATTENTION.call(owner, "key_values", packed);
  }
}
