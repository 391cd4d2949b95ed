package io.xfuser.internal.device;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * A clock of events in the stream in which programs compute on one GPU. The first of them, whose
 * time on the host's clock is known, ties both clocks together; the GPU tells what lies between two
 * events to about half a microsecond.
 *
 * @param <E> an event
 */
final class GpuClock<E> implements DeviceClock {
  private final Events<E> events;
  private final List<E> recorded = new ArrayList<>();
  private final E first;
  private final long firstNanos;

  /**
   * Waits for what is enqueued.
   *
   * @param host the host's clock, in nanoseconds
   */
  GpuClock(Events<E> events, LongSupplier host) {
    this.events = events;
    this.first = record();
    events.await(first);
    this.firstNanos = host.getAsLong();
  }

  /** The events of one stream. */
  interface Events<E> {
    /** An event after all that was enqueued so far. */
    E record();

    /** Waits until {@code event} has come; does not keep a core busy. */
    void await(E event);

    /** Milliseconds from one event to another; both have come. */
    double millis(E from, E to);

    void close(E event);
  }

  private E record() {
    E event = events.record();
    recorded.add(event);
    return event;
  }

  @Override
  public Mark mark() {
    E event = record();
    return new Mark() {
      @Override
      public void await() {
        events.await(event);
      }

      @Override
      public long nanos() {
        events.await(event);
        return firstNanos + Math.round(events.millis(first, event) * 1e6);
      }
    };
  }

  @Override
  public boolean enqueues() {
    return true;
  }

  @Override
  public void close() {
    recorded.forEach(events::close);
    recorded.clear();
  }
}
