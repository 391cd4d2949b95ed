package io.xfuser.internal.failure;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A value that is made when it is first asked for, once, and then kept. A failure is not kept: it
 * goes to the one who asked, and the next one makes the value anew. A static field of this kind
 * lets a failure pass; one that holds the value itself would leave its class unusable until the JVM
 * ends. Safe for several threads: all wait for the one that makes it.
 *
 * @param <T> the value, never null
 */
public final class Retried<T> implements Supplier<T> {
  private final Supplier<T> source;
  private volatile @Nullable T value;

  /** Asks {@code source}, which may throw. */
  public Retried(Supplier<T> source) {
    this.source = source;
  }

  @Override
  public T get() {
    T made = value;
    return made == null ? make() : made;
  }

  private synchronized T make() {
    T made = value;
    if (made == null) {
      made = source.get();
      value = made;
    }
    return made;
  }
}
