package io.xfuser.internal.trace;

import io.xfuser.internal.device.DeviceClock;
import io.xfuser.internal.device.DeviceClock.Mark;
import io.xfuser.internal.parallel.World;
import io.xfuser.trace.TraceEvent;
import io.xfuser.trace.TraceEvent.Activity;
import io.xfuser.trace.TraceEvent.Message;
import io.xfuser.trace.TraceEvent.MicroStep;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Writes down what it sees. */
final class TraceRecorder implements Trace {
  private final List<Seen> events = new ArrayList<>();
  private DeviceClock clock = DeviceClock.CPU;
  private @Nullable MicroStep at;

  /** An event whose times the device may still have to come to. */
  private record Seen(
      Activity what, Mark start, Mark end, @Nullable MicroStep at, @Nullable Message message) {
    private TraceEvent event() {
      long from = start.nanos();
      return new TraceEvent(what, from, end.nanos() - from, at, message);
    }
  }

  @Override
  public void keepTimeBy(DeviceClock device) {
    clock = device;
  }

  Mark mark() {
    return clock.mark();
  }

  @Override
  public void enter(@Nullable MicroStep part) {
    at = part;
  }

  @Override
  public <T> T during(Activity what, Supplier<T> work) {
    MicroStep part = at;
    Mark start = mark();
    T result = work.get();
    events.add(new Seen(what, start, mark(), part, null));
    return result;
  }

  /** A message was sent or waited for from {@code start} until now. */
  void message(Activity what, Mark start, Message message) {
    events.add(new Seen(what, start, mark(), at, message));
  }

  @Override
  public World observe(World world) {
    return world.through(transport -> new TracedTransport(transport, this));
  }

  @Override
  public List<TraceEvent> events() {
    return events.stream().map(Seen::event).toList();
  }
}
