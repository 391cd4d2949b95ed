package io.xfuser.internal.trace;

import io.xfuser.internal.device.DeviceClock;
import io.xfuser.internal.parallel.World;
import io.xfuser.trace.TraceEvent;
import io.xfuser.trace.TraceEvent.Activity;
import io.xfuser.trace.TraceEvent.MicroStep;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Sees what one rank does in one request. Used by the rank's thread alone. */
public interface Trace {
  /** Sees nothing and costs nothing. */
  Trace OFF =
      new Trace() {
        @Override
        public void keepTimeBy(DeviceClock clock) {
          // nobody asks
        }

        @Override
        public void enter(@Nullable MicroStep part) {
          // nobody asks
        }

        @Override
        public <T> T during(Activity what, Supplier<T> work) {
          return work.get();
        }

        @Override
        public World observe(World world) {
          return world;
        }

        @Override
        public List<TraceEvent> events() {
          return List.of();
        }
      };

  /** Keeps every event in memory, about 100 bytes each, and on a GPU two of CUDA's. */
  static Trace recording() {
    return new TraceRecorder();
  }

  /**
   * Times from now on are those of {@code clock}, the rank's device: when a GPU did something and
   * not when it was told to. {@link #events} reads them before the clock is closed.
   */
  void keepTimeBy(DeviceClock clock);

  /** What follows belongs to {@code part} of the denoising, or to none. */
  void enter(@Nullable MicroStep part);

  /** Does {@code work} and returns its result. */
  <T> T during(Activity what, Supplier<T> work);

  /** {@code world} with every message seen; its bytes are counted from 0. */
  World observe(World world);

  /**
   * What was seen so far, in the order in which it ended; waits until the device has come so far.
   */
  List<TraceEvent> events();
}
