package io.xfuser.torchscript;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;

/**
 * A tensor on its way from one thread to another: it keeps the memory alive when the sender closes
 * its own handle, and copies nothing. Must be received or closed exactly once; one that is
 * forgotten, because something else failed, is released with the garbage.
 *
 * <p>The memory has to be libtorch's. What {@link NDManager} creates of Java arrays is a Java
 * buffer, which ends with its NDArray: {@link Torch#copy} it first.
 */
public final class SharedTensor implements AutoCloseable {
  private static final Cleaner CLEANER = Cleaner.create();

  private final IValue value;
  private final Cleaner.Cleanable release;

  private SharedTensor(IValue value) {
    this.value = value;
    this.release = CLEANER.register(this, value::close);
  }

  /** A second handle on {@code tensor}'s memory. */
  public static SharedTensor of(NDArray tensor) {
    return new SharedTensor(IValue.from((PtNDArray) tensor));
  }

  /** The tensor, now owned by {@code owner}; this is closed. */
  public NDArray receive(NDManager owner) {
    try {
      return value.toTensor((PtNDManager) owner);
    } finally {
      release.clean();
      Reference.reachabilityFence(this); // else the cleaner could close the value under toTensor
    }
  }

  @Override
  public void close() {
    release.clean();
  }
}
