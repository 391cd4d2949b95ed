package io.xfuser.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/** All keys are here. */
public final class LocalAttention implements Attention {
  @Override
  public NDArray attend(NDManager owner, Qkv qkv) {
    return Kernels.ATTENTION.call(owner, "local", qkv.packed());
  }
}
