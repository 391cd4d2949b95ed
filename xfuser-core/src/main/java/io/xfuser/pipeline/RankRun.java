package io.xfuser.pipeline;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.Offload;
import io.xfuser.failure.CancelledException;
import io.xfuser.parallel.Channel;
import io.xfuser.parallel.World;
import io.xfuser.pipeline.RankResult.Account;
import io.xfuser.pipeline.RankResult.Decoded;
import io.xfuser.torchscript.DeviceClock;
import io.xfuser.torchscript.DeviceClock.Mark;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.trace.Trace;
import io.xfuser.trace.TraceEvent;
import io.xfuser.transformer.Shared;
import java.util.List;
import java.util.stream.IntStream;

/**
 * One rank in one request, whatever it does there.
 *
 * @param engine what all ranks were told
 * @param world the others, as {@code trace} sees them
 * @param trace watches this rank
 * @param times what took how long
 * @param memory of its device
 * @param watch of all ranks of this JVM
 */
record RankRun(
    EngineConfig engine,
    World world,
    Trace trace,
    RankTimes times,
    PeakMemory memory,
    RequestWatch watch)
    implements AutoCloseable {

  static RankRun of(
      PlacedPipeline<?> pipeline, EngineConfig engine, World world, RequestWatch watch) {
    Device device = pipeline.placement().device();
    DeviceClock clock = DeviceClock.of(device);
    Trace trace = watch.trace();
    trace.keepTimeBy(clock);
    PeakMemory memory = new PeakMemory(device);
    return new RankRun(engine, trace.observe(world), trace, new RankTimes(clock), memory, watch);
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

  /** Now, as the rank's device will have it. */
  Mark mark() {
    return times.clock().mark();
  }

  /** Says how far this rank is in {@code phase}; throws if the request is over. */
  void progress(Progress.Phase phase, int done, int total) {
    world.transport().check();
    if (!watch.progressed(world.rank(), new Progress(phase, done, total))) {
      throw cancel("cancelled while " + phase.label());
    }
  }

  /** Makes all ranks give up, for this one to throw the same. */
  CancelledException cancel(String reason) {
    world.transport().cancel(reason);
    return new CancelledException(reason); // alone, a rank has nobody to hear it from
  }

  /** {@link #lease} of what is loaded in {@code phase}, which may take long. */
  <T extends AutoCloseable> Shared.Lease<T> loaded(Progress.Phase phase, Shared<T> component) {
    progress(phase, 0, 1);
    Shared.Lease<T> lease = lease(component);
    try {
      progress(phase, 1, 1);
      return lease;
    } catch (RuntimeException | Error e) {
      lease.close();
      throw e;
    }
  }

  /** A component for as long as it is used, or longer where nothing leaves the device. */
  <T extends AutoCloseable> Shared.Lease<T> lease(Shared<T> component) {
    return component.lease(engine.runtime().offload() == Offload.NONE);
  }

  /** What this rank brings back, with all ranks' figures; returns when all have come here. */
  RankResult result(NDManager request, Decoded decoded, RankReport.Held held) {
    try {
      return finished(request, decoded, held);
    } catch (RuntimeException | Error e) {
      SharedTensor unwanted = decoded.tensor();
      if (unwanted != null) {
        unwanted.close();
      }
      throw e;
    }
  }

  private RankResult finished(NDManager request, Decoded decoded, RankReport.Held held) {
    activity("finishing");
    List<TraceEvent> recorded = trace.events(); // before the reports' own messages
    var everyone = world.group(Channel.WORLD, IntStream.range(0, world.size()).boxed().toList());
    RunReport report = Reports.gather(request, engine, everyone, times.report(world, held), times);
    return new RankResult(
        decoded.firstImage(),
        decoded.images(),
        decoded.tensor(),
        new Account(report, Reports.trace(request, everyone, recorded)));
  }

  /** Releases the clock. */
  @Override
  public void close() {
    times.clock().close();
  }
}
