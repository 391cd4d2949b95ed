package io.xfuser.pipeline;

import io.xfuser.internal.parallel.Transport;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.internal.runtime.Midway;
import io.xfuser.internal.runtime.PlacedPipeline;
import io.xfuser.internal.runtime.RankCourse;
import io.xfuser.internal.runtime.RankResult;
import io.xfuser.internal.runtime.RankRun;
import io.xfuser.internal.runtime.RequestWatch;
import io.xfuser.internal.runtime.Shared;
import io.xfuser.internal.runtime.StepGate;
import io.xfuser.model.GivenTensors;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A rank of this JVM in one request, with what it keeps there while the request is paused. */
final class RankSeat implements AutoCloseable {
  private final World world;
  private final RequestPlan plan;
  private final Supplier<Shared.Lease<? extends PlacedPipeline<?>>> placing;
  private final Call call;
  private @Nullable Taken taken;

  /**
   * What the ranks of one request have in common.
   *
   * @param given the caller's tensors in the place of what would be made
   * @param midway where ranks of another layout left off, null where none did
   * @param watch who watches it
   * @param gate where it pauses
   */
  record Call(GivenTensors given, @Nullable Midway midway, RequestWatch watch, StepGate gate) {}

  /** What a rank has from its first step to its last. */
  private record Taken(
      Shared.Lease<? extends PlacedPipeline<?>> placed, RankRun run, RankCourse course)
      implements AutoCloseable {
    @Override
    public void close() {
      try (placed) {
        run.close();
      }
    }
  }

  /** Nobody there yet; {@code placing} leases what is loaded where the rank computes. */
  RankSeat(
      World world,
      RequestPlan plan,
      Supplier<Shared.Lease<? extends PlacedPipeline<?>>> placing,
      Call call) {
    this.world = world;
    this.plan = plan;
    this.placing = placing;
    this.call = call;
  }

  /** Does the rank's part, or what is left of it, on its thread; null where the request pauses. */
  @Nullable RankResult go() {
    try {
      Taken mine = taken == null ? take() : taken;
      taken = mine;
      RankResult result = mine.course().go(call.gate());
      if (result != null) {
        close();
      }
      return result;
    } catch (RuntimeException | Error e) {
      String activity = call.watch().activity(world.rank());
      Throwable told = MemoryCheck.explained(e, activity, plan);
      Transport transport = world.transport();
      transport.fail(told); // only the first reason counts
      close();
      if (told instanceof RuntimeException failure) {
        throw RankFailures.told(world.rank(), activity, failure);
      }
      throw e;
    }
  }

  private Taken take() {
    Shared.Lease<? extends PlacedPipeline<?>> placed = placing.get();
    RankRun run = RankRun.of(plan, placed.get().observed(world), call.watch());
    try {
      RankCourse course = RankCourse.of(placed.get(), run, call.given(), call.midway());
      return new Taken(placed, run, course);
    } catch (RuntimeException | Error e) {
      try (placed;
          run) {
        throw e;
      }
    }
  }

  /** Puts what the rank has of the latents into {@code midway}; the request is paused. */
  void describe(Midway.Builder midway) {
    if (taken != null) {
      taken.course().describe(midway);
    }
  }

  /** Bytes of tensors that the rank keeps. */
  long keptBytes() {
    return taken == null ? 0 : taken.course().keptBytes();
  }

  /** Lets go of everything; no thread is at work here. */
  @Override
  public void close() {
    Taken mine = taken;
    taken = null;
    if (mine != null) {
      mine.close();
    }
  }
}
