package io.xfuser.transformer;

import io.xfuser.torchscript.TensorMap;

/** A part of a transformer: immutable, and shared by all ranks of a process. */
public interface Part extends AutoCloseable {
  /** Its weights, by the names that its program says. */
  TensorMap weights();

  /** Bytes of its weights. */
  default long parameterBytes() {
    return weights().bytes();
  }

  @Override
  default void close() {
    weights().close();
  }
}
