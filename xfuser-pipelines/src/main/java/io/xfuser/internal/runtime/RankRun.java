package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.internal.device.DeviceClock;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.internal.report.RankFigures;
import io.xfuser.internal.trace.Trace;
import io.xfuser.progress.Progress;
import io.xfuser.torchscript.Torch;

/**
 * One rank in one request, whatever it does there.
 *
 * @param tensors owns those of the request
 * @param plan what all ranks do
 * @param world the others, as {@code trace} sees them
 * @param trace watches this rank
 * @param figures what it takes, holds and sends
 * @param watch of all ranks of this JVM
 */
public record RankRun(
    NDManager tensors,
    RequestPlan plan,
    World world,
    Trace trace,
    RankFigures figures,
    RequestWatch watch)
    implements AutoCloseable {

  public static RankRun of(RequestPlan plan, World world, RequestWatch watch) {
    return of(plan, world, watch, DeviceClock.of(world.device()));
  }

  /** The same by another clock. */
  public static RankRun of(RequestPlan plan, World world, RequestWatch watch, DeviceClock clock) {
    Trace trace = watch.trace();
    trace.keepTimeBy(clock);
    NDManager tensors = Torch.newManager();
    RankFigures figures = new RankFigures(tensors, world.device(), clock);
    return new RankRun(tensors, plan, trace.observe(world), trace, figures, watch);
  }

  int rank() {
    return world.rank();
  }

  EngineConfig engine() {
    return plan.engine();
  }

  /**
   * Says what this rank does from now on, for the others to tell if it dies.
   *
   * @throws RuntimeException if the request is over, because it was cancelled or another rank
   *     failed; a rank that waits for no message would not hear of it otherwise
   */
  void activity(String what) {
    world.transport().activity(what);
    watch.activity(world.rank(), what);
    world.transport().check();
  }

  /** Says how far this rank is; throws if the request is over. */
  void progress(Progress progress) {
    world.transport().check();
    watch.progressed(world.rank(), progress);
  }

  <C> Loads<C> loads(PlacedPipeline<C> pipeline) {
    return new Loads<>(pipeline, Holding.of(plan), this::progress);
  }

  /** Frees the tensors and releases the clock. */
  @Override
  public void close() {
    tensors.close();
    figures.clock().close();
  }
}
