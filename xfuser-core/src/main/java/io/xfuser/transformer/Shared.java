package io.xfuser.transformer;

import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Something that is loaded by whoever asks first and then shared by all threads.
 *
 * @param <T> what is shared
 */
public final class Shared<T extends AutoCloseable> implements AutoCloseable {
  private final Supplier<T> loader;
  private @Nullable T value;

  /** Loaded by {@code loader} when first asked for. */
  public Shared(Supplier<T> loader) {
    this.loader = loader;
  }

  /** The one value. */
  public synchronized T get() {
    T present = value;
    if (present == null) {
      present = loader.get();
      value = present;
    }
    return present;
  }

  /** {@code size} of the value, 0 if nobody has asked for it. */
  public synchronized long bytes(ToLongFunction<T> size) {
    return value == null ? 0 : size.applyAsLong(value);
  }

  @Override
  public synchronized void close() {
    T present = value;
    value = null;
    if (present != null) {
      try {
        present.close();
      } catch (Exception e) {
        throw new IllegalStateException("closing failed: " + e.getMessage(), e);
      }
    }
  }
}
