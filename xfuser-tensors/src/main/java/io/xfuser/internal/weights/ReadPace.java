package io.xfuser.internal.weights;

import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * At what pace a thread reads the files of weights. Models load without knowing who waits for them,
 * so it is the thread that knows.
 */
public final class ReadPace {
  private static final ThreadLocal<@Nullable LongConsumer> SET = new ThreadLocal<>();

  private ReadPace() {}

  /**
   * What {@code reading} returns.
   *
   * @param before is called with the bytes of each chunk of a file before this thread reads it; may
   *     take its time, and what it throws ends the reading
   */
  static <T> T set(LongConsumer before, Supplier<T> reading) {
    LongConsumer outer = SET.get();
    SET.set(before);
    try {
      return reading.get();
    } finally {
      SET.set(outer);
    }
  }

  /** A chunk of {@code bytes} is to be read. */
  public static void keep(long bytes) {
    LongConsumer before = SET.get();
    if (before != null) {
      before.accept(bytes);
    }
  }
}
