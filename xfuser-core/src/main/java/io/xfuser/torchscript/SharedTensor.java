package io.xfuser.torchscript;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;

/**
 * A tensor on its way from one thread to another: it keeps the memory alive when the sender closes
 * its own handle, and copies nothing. Must be received or closed exactly once, or it leaks.
 */
public final class SharedTensor implements AutoCloseable {
  private final IValue value;

  private SharedTensor(IValue value) {
    this.value = value;
  }

  /** A second handle on {@code tensor}'s memory. */
  public static SharedTensor of(NDArray tensor) {
    return new SharedTensor(IValue.from((PtNDArray) tensor));
  }

  /** The tensor, now owned by {@code owner}; this is closed. */
  public NDArray receive(NDManager owner) {
    try (IValue closing = value) {
      return closing.toTensor((PtNDManager) owner);
    }
  }

  @Override
  public void close() {
    value.close();
  }
}
