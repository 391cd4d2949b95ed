package io.xfuser.transformer;

import io.xfuser.torchscript.TensorList;

/** A part of a transformer: immutable, and shared by all ranks of a process. */
public interface Part extends AutoCloseable {
  /** Its weights, in the order in which its program reads them. */
  TensorList weights();

  /** Bytes of its weights. */
  default long parameterBytes() {
    return weights().bytes();
  }

  @Override
  default void close() {
    weights().close();
  }
}
