package io.xfuser.internal.device;

import java.util.ArrayList;
import java.util.List;

/**
 * The stream of a GPU and the host that enqueues work in it, in simulated milliseconds: the host
 * goes on at once, the GPU does one thing after the other.
 */
public final class SimulatedGpu {
  private static final double HOST_BEGAN = 7_000; // the host's clock does not begin with the GPU

  private double host;
  private double stream; // when all that is enqueued will be done
  private final List<Event> open = new ArrayList<>();

  /** An event. */
  private static final class Event {
    private final double time;

    private Event(double time) {
      this.time = time;
    }
  }

  private final class Events implements GpuClock.Events<Event> {
    @Override
    public Event record() {
      stream = Math.max(stream, host);
      open.add(new Event(stream));
      return open.get(open.size() - 1);
    }

    @Override
    public void await(Event event) {
      host = Math.max(host, event.time);
    }

    /** As CUDA does, it refuses events that have not come. */
    @Override
    public double millis(Event from, Event to) {
      if (host < Math.max(from.time, to.time)) {
        throw new IllegalStateException("both events must be completed");
      }
      return to.time - from.time;
    }

    @Override
    public void close(Event event) {
      if (!open.remove(event)) {
        throw new IllegalStateException("an event is closed twice");
      }
    }
  }

  /** A clock of this GPU. */
  public DeviceClock clock() {
    return new GpuClock<>(new Events(), () -> nanos(host));
  }

  /** The host is busy for some milliseconds. */
  public void host(double millis) {
    host += millis;
  }

  /** The host enqueues work that the GPU needs some milliseconds for. */
  public void compute(double millis) {
    stream = Math.max(stream, host) + millis;
  }

  /** Milliseconds on the host since the beginning. */
  public double now() {
    return host;
  }

  /** Events that were not closed. */
  public int events() {
    return open.size();
  }

  /** What the host's clock shows {@code millis} after the beginning. */
  public static long nanos(double millis) {
    return Math.round((HOST_BEGAN + millis) * 1e6);
  }
}
