package io.xfuser.internal.device;

import io.xfuser.internal.weights.Prefetcher;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Brings weights to a GPU in a stream of its own, so that they are copied while others compute.
 * Three orders must hold: what was copied is there before it is computed with; memory that a layer
 * leaves is written again only after all that was enqueued with it; and the copies of one layer
 * follow one another.
 *
 * @param <E> an event
 */
public final class CopyStream<E> implements Prefetcher.Way {
  private final Streams<E> streams;
  private final List<E> left = new ArrayList<>(); // guarded by this, as is the other
  private @Nullable E copied;

  CopyStream(Streams<E> streams) {
    this.streams = streams;
  }

  /** Of GPU {@code index}. */
  public static Prefetcher.Way to(int index) {
    return new CopyStream<>(new GpuStreams(index));
  }

  /** The default stream of a GPU, in which all threads compute, and one for copies. */
  interface Streams<E> {
    /** What the calling thread enqueues from now on goes to the stream of copies. */
    void enter();

    /** It goes to the default stream again. */
    void leave();

    /** An event after all that the calling thread's stream was given so far. */
    E record();

    /** The calling thread's stream goes on after {@code event}. */
    void await(E event);

    void close(E event);
  }

  @Override
  public boolean read(Supplier<Boolean> reading) {
    streams.enter();
    try {
      takeLeft().forEach(this::awaitAndClose);
      boolean read = reading.get();
      keep(streams.record());
      return read;
    } finally {
      streams.leave();
    }
  }

  private void awaitAndClose(E event) {
    streams.await(event);
    streams.close(event);
  }

  private synchronized List<E> takeLeft() {
    List<E> all = List.copyOf(left);
    left.clear();
    return all;
  }

  private synchronized void keep(E latest) {
    if (copied != null) {
      streams.close(copied);
    }
    copied = latest;
  }

  /** The latest event comes after those of all layers before it, as they share a stream. */
  @Override
  public synchronized void arrived() {
    if (copied != null) {
      streams.await(copied);
    }
  }

  @Override
  public void left() {
    E event = streams.record();
    synchronized (this) {
      left.add(event);
    }
  }

  @Override
  public synchronized void close() {
    left.forEach(streams::close);
    left.clear();
    if (copied != null) {
      streams.close(copied);
      copied = null;
    }
  }
}
