package io.xfuser.pipeline;

import io.xfuser.internal.runtime.StepGate;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Whether a request is paused, and who waits for that. */
final class Pauses {
  private boolean paused;
  private @Nullable CompletableFuture<OptionalInt> told;

  synchronized boolean paused() {
    return paused;
  }

  /** It pauses after {@code steps}; what is returned hears of it. */
  synchronized CompletableFuture<OptionalInt> ask(Supplier<StepGate> gate, int steps) {
    if (paused) {
      return CompletableFuture.completedFuture(OptionalInt.of(gate.get().taken()));
    }
    CompletableFuture<OptionalInt> hears = told == null ? new CompletableFuture<>() : told;
    told = hears;
    gate.get().closeAfter(steps);
    return hears.copy();
  }

  synchronized void begin() {
    paused = true;
  }

  /** It goes on; {@code change} is done before anybody asks for the next pause. */
  synchronized void end(Runnable change) {
    change.run();
    paused = false;
  }

  /** How many steps were taken, or nothing if it is over. */
  void tell(OptionalInt steps) {
    CompletableFuture<OptionalInt> hears;
    synchronized (this) {
      hears = told;
      told = null;
    }
    if (hears != null) {
      var unused = hears.completeAsync(() -> steps);
    }
  }
}
