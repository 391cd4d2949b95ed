package io.xfuser.internal.runtime;

import io.xfuser.internal.failure.Reason;
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
  private int leases;

  /** Loaded by {@code loader} when first asked for. */
  public Shared(Supplier<T> loader) {
    this.loader = loader;
  }

  public synchronized T get() {
    T present = value;
    if (present == null) {
      present = loader.get();
      value = present;
    }
    return present;
  }

  /**
   * The one value, for as long as what is returned is open. One that is not {@code kept} is closed
   * with the last lease of it, and loaded again when it is next asked for.
   */
  public synchronized Lease<T> lease(boolean kept) {
    T present = get();
    leases++;
    return new Lease<>() {
      @Override
      public T get() {
        return present;
      }

      @Override
      public void close() {
        end(kept);
      }
    };
  }

  private synchronized void end(boolean kept) {
    leases--;
    if (leases == 0 && !kept) {
      close();
    }
  }

  /**
   * Somebody's use of the value; to be closed once.
   *
   * @param <T> what is shared
   */
  public interface Lease<T> extends AutoCloseable {
    /** The value. */
    T get();

    @Override
    void close();
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
        throw new IllegalStateException("closing failed: " + Reason.of(e), e);
      }
    }
  }
}
