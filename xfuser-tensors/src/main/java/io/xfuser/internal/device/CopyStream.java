package io.xfuser.internal.device;

import io.xfuser.internal.weights.Prefetcher;
import io.xfuser.torchscript.TensorMap;
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
  private final List<TensorMap.Hold> late = new ArrayList<>(); // released when nothing is read
  private int reads;
  private @Nullable E copied;

  CopyStream(Streams<E> streams) {
    this.streams = streams;
  }

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
      begin().forEach(this::awaitAndClose);
      boolean read = reading.get();
      keep(streams.record());
      return read;
    } finally {
      streams.leave();
      end();
    }
  }

  private void awaitAndClose(E event) {
    streams.await(event);
    streams.close(event);
  }

  private synchronized List<E> begin() {
    reads++;
    List<E> all = List.copyOf(left);
    left.clear();
    return all;
  }

  private synchronized void end() {
    reads--;
    if (reads == 0) {
      late.forEach(TensorMap.Hold::close);
      late.clear();
    }
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

  /**
   * {@inheritDoc} Not while something is read, which would be given that memory and has not waited
   * for the event.
   */
  @Override
  public void leave(TensorMap.Hold hold) {
    E event = streams.record();
    synchronized (this) {
      left.add(event);
      if (reads > 0) {
        late.add(hold);
      } else {
        hold.close();
      }
    }
  }

  @Override
  public synchronized void close() {
    left.forEach(streams::close);
    left.clear();
    late.forEach(TensorMap.Hold::close);
    late.clear();
    if (copied != null) {
      streams.close(copied);
      copied = null;
    }
  }
}
