package io.xfuser.torchscript;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Tensors handed to programs again and again, such as a block's weights: converted once, not on
 * every call. It keeps the tensors alive by itself; close it to release them.
 *
 * <p>One that was {@linkplain #read read} can do without its tensors in between: see {@link #hold}.
 */
public final class TensorList implements AutoCloseable {
  private final @Nullable Supplier<TensorList> reading;
  private final long bytes;
  private volatile @Nullable IValue value; // changed by synchronized methods only
  private int holders;
  private boolean closed;

  private TensorList(@Nullable IValue value, long bytes, @Nullable Supplier<TensorList> reading) {
    this.value = value;
    this.bytes = bytes;
    this.reading = reading;
  }

  /** A list of {@code tensors}, in their order. */
  public static TensorList of(List<NDArray> tensors) {
    PtNDArray[] array = tensors.stream().map(PtNDArray.class::cast).toArray(PtNDArray[]::new);
    long bytes = tensors.stream().mapToLong(ElementType::bytesOf).sum();
    return new TensorList(IValue.listFrom(array), bytes, null);
  }

  /** A list of {@code tensors}, in their order. */
  public static TensorList of(NDArray... tensors) {
    return of(List.of(tensors));
  }

  /** What {@code reading} makes now, and whenever it is needed again: each time the same. */
  public static TensorList read(Supplier<TensorList> reading) {
    TensorList first = reading.get();
    return new TensorList(first.value, first.bytes, reading);
  }

  /** Bytes of all tensors together, in memory or not. */
  public long bytes() {
    return bytes;
  }

  /** Whether the tensors are in memory. */
  public boolean isLoaded() {
    return value != null;
  }

  /**
   * Keeps the tensors in memory until what is returned is closed; when the last of all holds is, a
   * list that can be read again releases them. A list that was never held keeps them until it is
   * closed itself. On a GPU what is still computed with them is not disturbed: libtorch gives their
   * memory only to what is computed later in the same stream.
   */
  public synchronized Hold hold() {
    holders++;
    return this::letGo;
  }

  private synchronized void letGo() {
    holders--;
    if (holders == 0) {
      release();
    }
  }

  /** Releases the tensors, if nobody holds them and they can be read again. */
  public synchronized void release() {
    IValue present = value;
    if (holders == 0 && reading != null && present != null) {
      value = null;
      present.close();
    }
  }

  IValue value() {
    IValue present = value;
    return present == null ? readAgain() : present;
  }

  private synchronized IValue readAgain() {
    IValue present = value;
    if (present == null) {
      if (closed || reading == null) {
        throw new IllegalStateException("the tensors were released");
      }
      present = reading.get().value();
      value = present;
    }
    return present;
  }

  @Override
  public synchronized void close() {
    IValue present = value;
    closed = true;
    value = null;
    if (present != null) {
      present.close();
    }
  }

  /** Keeps tensors in memory; see {@link TensorList#hold}. */
  @FunctionalInterface
  public interface Hold extends AutoCloseable {
    @Override
    void close();
  }
}
