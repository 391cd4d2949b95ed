package io.xfuser.trace;

import io.xfuser.parallel.World;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Sees what one rank does in one request. Used by the rank's thread alone. */
public interface Trace {
  /** Sees nothing and costs nothing. */
  Trace OFF =
      new Trace() {
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

  /** Keeps every event in memory, about 100 bytes each. */
  static Trace recording() {
    return new TraceRecorder();
  }

  /** What follows belongs to {@code part} of the denoising, or to none. */
  void enter(@Nullable MicroStep part);

  /** Does {@code work} and returns its result. */
  <T> T during(Activity what, Supplier<T> work);

  /** {@code world} with every message seen; its bytes are counted from 0. */
  World observe(World world);

  /** What was seen so far, in the order in which it ended. */
  List<TraceEvent> events();
}
