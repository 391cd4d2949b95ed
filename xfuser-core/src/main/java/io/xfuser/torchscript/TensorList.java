package io.xfuser.torchscript;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import java.util.List;

/**
 * Tensors handed to programs again and again, such as a block's weights: converted once, not on
 * every call. It keeps the tensors alive by itself; close it to release them.
 */
public final class TensorList implements AutoCloseable {
  private final IValue value;
  private final long bytes;

  private TensorList(IValue value, long bytes) {
    this.value = value;
    this.bytes = bytes;
  }

  /** A list of {@code tensors}, in their order. */
  public static TensorList of(List<NDArray> tensors) {
    PtNDArray[] array = tensors.stream().map(PtNDArray.class::cast).toArray(PtNDArray[]::new);
    long bytes = tensors.stream().mapToLong(ElementType::bytesOf).sum();
    return new TensorList(IValue.listFrom(array), bytes);
  }

  /** A list of {@code tensors}, in their order. */
  public static TensorList of(NDArray... tensors) {
    return of(List.of(tensors));
  }

  /** Bytes of all tensors together. */
  public long bytes() {
    return bytes;
  }

  IValue value() {
    return value;
  }

  @Override
  public void close() {
    value.close();
  }
}
