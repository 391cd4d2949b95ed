package io.xfuser.torchscript;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Named tensors handed to programs again and again, such as a block's weights ({@code Dict[str,
 * Tensor]}): converted once, not on every call. It keeps the tensors alive by itself; close it to
 * release them.
 *
 * <p>One that was {@linkplain #read read} can do without its tensors in between: see {@link #hold}.
 */
public final class TensorMap implements AutoCloseable {
  private final @Nullable Supplier<TensorMap> reading;
  private final Object reader = new Object(); // locked while tensors are read: holds come and go
  private final Set<String> names;
  private final long bytes;
  private volatile @Nullable IValue value; // changed by synchronized methods only
  private int holders;
  private volatile boolean closed;

  private TensorMap(
      @Nullable IValue value,
      Set<String> names,
      long bytes,
      @Nullable Supplier<TensorMap> reading) {
    this.value = value;
    this.names = names;
    this.bytes = bytes;
    this.reading = reading;
  }

  /** The {@code tensors} by their names. */
  public static TensorMap of(Map<String, NDArray> tensors) {
    return of(tensors, 0);
  }

  /**
   * The {@code tensors} by their names.
   *
   * @param hidden bytes that some of them have besides: what a kernel has packed for itself
   */
  public static TensorMap of(Map<String, NDArray> tensors, long hidden) {
    long bytes = hidden + tensors.values().stream().mapToLong(ElementType::bytesOf).sum();
    return new TensorMap(valueOf(tensors), Set.copyOf(tensors.keySet()), bytes, null);
  }

  /** What {@code reading} makes now, and whenever it is needed again: each time the same. */
  public static TensorMap read(Supplier<TensorMap> reading) {
    TensorMap first = reading.get();
    return new TensorMap(first.value, first.names, first.bytes, reading);
  }

  /**
   * What {@code reading} makes whenever it is needed, each time the same, and nothing before.
   *
   * @param outline has the names and sizes, and no memory; it is closed
   */
  public static TensorMap later(TensorMap outline, Supplier<TensorMap> reading) {
    outline.close();
    return new TensorMap(null, outline.names, outline.bytes, reading);
  }

  /** A dictionary that shares the tensors' memory; the caller closes it. */
  static IValue valueOf(Map<String, NDArray> tensors) {
    Map<String, PtNDArray> all = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> all.put(name, (PtNDArray) tensor));
    return IValue.stringMapFrom(all);
  }

  /** The names of the tensors, in memory or not. */
  public Set<String> names() {
    return names;
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
   * map that can be read again releases them. A map that was never held keeps them until it is
   * closed itself. On a GPU what is still computed with them is not disturbed: libtorch gives their
   * memory only to what is computed later in the same stream.
   */
  public synchronized Hold hold() {
    holders++;
    return this::letGo;
  }

  /** The same for who wants them to stay: closing what is returned releases nothing. */
  public synchronized Hold keep() {
    holders++;
    return this::leave;
  }

  private synchronized void leave() {
    holders--;
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
    while (present == null) {
      load();
      present = value;
    }
    return present;
  }

  /**
   * Reads the tensors if they are not in memory; returns once they are. What others hold and let go
   * meanwhile does not wait for it.
   *
   * @return whether they were read by this call
   * @throws IllegalStateException if they were released for good
   */
  public boolean load() {
    synchronized (reader) {
      if (isLoaded()) {
        return false;
      }
      if (closed || reading == null) {
        throw new IllegalStateException("the tensors were released");
      }
      take(reading.get().value());
      return true;
    }
  }

  private synchronized void take(IValue read) {
    if (closed) {
      read.close();
      throw new IllegalStateException("the tensors were released");
    }
    value = read;
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

  /** Keeps tensors in memory; see {@link TensorMap#hold}. */
  @FunctionalInterface
  public interface Hold extends AutoCloseable {
    @Override
    void close();
  }
}
