package io.xfuser.trace;

import io.xfuser.parallel.World;
import io.xfuser.trace.TraceEvent.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Writes down what it sees. */
final class TraceRecorder implements Trace {
  private final List<TraceEvent> events = new ArrayList<>();
  private @Nullable MicroStep at;

  @Override
  public void enter(@Nullable MicroStep part) {
    at = part;
  }

  @Override
  public <T> T during(Activity what, Supplier<T> work) {
    MicroStep part = at;
    long start = System.nanoTime();
    T result = work.get();
    events.add(new TraceEvent(what, start, System.nanoTime() - start, part, null));
    return result;
  }

  /** A message was sent or waited for from {@code start} until now. */
  void message(Activity what, long start, Message message) {
    events.add(new TraceEvent(what, start, System.nanoTime() - start, at, message));
  }

  @Override
  public World observe(World world) {
    return world.through(transport -> new TracedTransport(transport, this));
  }

  @Override
  public List<TraceEvent> events() {
    return List.copyOf(events);
  }
}
