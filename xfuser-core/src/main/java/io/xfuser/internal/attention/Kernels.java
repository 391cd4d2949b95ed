package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.List;

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

  /**
   * Keys and values of the text and of the image tokens of all ranks of {@code ring}, (B, T + l·R,
   * 2 or 3, H, D): the last two of the third dimension.
   */
  static NDArray gathered(NDManager owner, Qkv qkv, Communicator ring) {
    if (ring.size() == 1) {
      return qkv.packed();
    }
    NDArray image = ring.allGather(owner, keysAndValues(owner, qkv.packed(), qkv.textTokens()), 1);
    if (qkv.textTokens() == 0) {
      return image; // (B, l·R, 2, H, D)
    }
    NDArray text = Torch.slice(owner, qkv.packed(), 1, 0, qkv.textTokens()); // (B, T, 3, H, D)
    return Torch.concat(owner, List.of(keysAndValues(owner, text, 0), image), 1);
  }

  /** Keys and values of {@code packed} from token {@code from} on. */
  static NDArray keysAndValues(NDManager owner, NDArray packed, long from) {
    return ATTENTION.call(owner, "key_values", packed, from);
  }
}
