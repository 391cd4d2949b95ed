package io.xfuser.internal.weights;

import ai.djl.ndarray.NDArray;
import io.xfuser.torchscript.ElementType;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * How many bytes of weights a thread has read since it began to load something. Models load without
 * knowing who waits for them, so it is the thread that knows.
 */
public final class ReadBytes {
  private static final ThreadLocal<@Nullable ReadBytes> COUNTED = new ThreadLocal<>();

  private final LongConsumer each;
  private long sum;

  private ReadBytes(LongConsumer each) {
    this.each = each;
  }

  /**
   * What {@code loading} returns.
   *
   * @param each is told of the sum after each tensor that this thread reads meanwhile; what it
   *     throws ends the loading
   */
  public static <T> T told(LongConsumer each, Supplier<T> loading) {
    ReadBytes outer = COUNTED.get();
    COUNTED.set(new ReadBytes(each));
    try {
      return loading.get();
    } finally {
      COUNTED.set(outer);
    }
  }

  public static NDArray count(NDArray tensor) {
    count(ElementType.bytesOf(tensor));
    return tensor;
  }

  /** Counts {@code bytes}, of what is not read but used where it is. */
  public static void count(long bytes) {
    ReadBytes counted = COUNTED.get();
    if (counted != null) {
      counted.sum += bytes;
      counted.each.accept(counted.sum);
    }
  }
}
