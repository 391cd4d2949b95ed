package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.torchscript.AttentionKernel;

/**
 * All keys are here.
 *
 * @param kernel computes it
 */
public record LocalAttention(AttentionKernel kernel) implements Attention {
  /** By the fastest kernel. */
  public LocalAttention() {
    this(AttentionKernel.FASTEST);
  }

  @Override
  public NDArray attend(NDManager owner, Qkv qkv) {
    String name = Kernels.name(kernel, qkv.packed());
    try (NDManager scope = owner.newSubManager()) {
      return Kernels.ATTENTION.call(
          owner, "local", qkv.packed(), qkv.masks(scope), qkv.textTokens(), name);
    }
  }
}
