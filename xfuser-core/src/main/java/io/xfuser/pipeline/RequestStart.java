package io.xfuser.pipeline;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.Offload;
import io.xfuser.internal.parallel.Fingerprint;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.internal.runtime.PlacedPipeline;
import io.xfuser.internal.runtime.RankPipeline;
import io.xfuser.internal.runtime.RankResult;
import io.xfuser.internal.runtime.RankRun;
import io.xfuser.internal.runtime.RequestWatch;
import io.xfuser.internal.runtime.Shared;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GivenTensors;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.weights.Placement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Plans requests, and hands them to the ranks of this JVM.
 *
 * @param pipeline the components
 * @param engine what all ranks were told
 * @param ranks those of this JVM
 */
record RequestStart(DiffusionPipeline pipeline, EngineConfig engine, LocalRanks ranks) {
  private static final Logger LOG = LoggerFactory.getLogger(XDiTParallel.class);

  private void describe(RequestPlan plan) {
    World world = ranks.world();
    if (engine.runtime().verbose() && (world == null || world.rank() == 0)) {
      plan.describe(pipeline.spec(), rank -> ranks.planned(engine, rank))
          .forEach(line -> LOG.info("{}", line));
    }
  }

  /** Plans all of it, and rejects what no rank could do. */
  RequestPlan plan(InputConfig input, GivenTensors given) {
    GenerationRequest request = pipeline.model().resolve(given.complete(input));
    given.check(request);
    Scheduler scheduler = pipeline.model().scheduler(request.scheduler());
    RequestPlan plan =
        RequestPlan.of(engine, pipeline.spec(), request.withCalls(scheduler.timesteps().length));
    int draws = (given.latents() == null ? 1 : 0) + (scheduler.stochastic() ? plan.steps() : 0);
    MemoryCheck.require(plan, pipeline, ranks, draws);
    return plan.with(pipeline.loras().of(input));
  }

  /** Starts a task, and waits until no rank is at work on it. */
  Generation draw(GenerationTask task, Asked asked, Call call) {
    RunningRequest running = start(asked, call);
    task.started(running);
    List<RankResult> results = running.await();
    return Generation.of(results, Generation.Output.of(pipeline, engine, asked.plan()));
  }

  private RunningRequest start(Asked asked, Call call) {
    World here = ranks.world();
    if (here != null) {
      here.transport().begin();
      CompletableFuture<RankResult> one =
          ranks.threads().get(0).submit(() -> runWithOthers(here, asked, call));
      return new RunningRequest(List.of(one), here.transport()::cancel, call.watch());
    }
    describe(asked.plan());
    InProcessRanks all = new InProcessRanks(ranks.threads().size(), XDiTParallel.TIMEOUT);
    List<World> worlds = // all of them, before a rank waits for another
        ranks.numbers().stream().map(rank -> ranks.within(all, rank)).toList();
    List<CompletableFuture<RankResult>> running = new ArrayList<>();
    for (int rank = 0; rank < ranks.threads().size(); rank++) {
      int local = rank;
      World mine = worlds.get(rank);
      running.add(ranks.threads().get(rank).submit(() -> runRank(local, mine, asked.plan(), call)));
    }
    return new RunningRequest(running, all.transport(0)::cancel, call.watch());
  }

  /** Once all ranks agree about what they were asked for. */
  private RankResult runWithOthers(World world, Asked asked, Call call) {
    RuntimeException refusal;
    try {
      refusal = Agreement.refusal(world, () -> fingerprint(asked, call));
    } catch (RuntimeException | Error e) {
      world.transport().fail(e);
      throw e;
    }
    if (refusal != null) {
      throw refusal; // all ranks know, and none has failed
    }
    describe(asked.plan());
    return runRank(0, world, asked.plan(), call);
  }

  private Fingerprint fingerprint(Asked asked, Call call) {
    return pipeline
        .fingerprint()
        .and(RequestFingerprint.of(asked.plan(), call.given()))
        .with("tracing", call.watch().traces());
  }

  private Shared.Lease<? extends PlacedPipeline<?>> placed(int local, RequestPlan plan) {
    boolean layerwise = engine.held() == Offload.SEQUENTIAL;
    return pipeline.on(new Placement(ranks.devices().get(local), layerwise, plan.loras()));
  }

  private static RankResult runRank(
      Shared.Lease<? extends PlacedPipeline<?>> placed, RankRun run, GivenTensors given) {
    try (placed;
        run) {
      return RankPipeline.run(placed.get(), run, given);
    }
  }

  private RankResult runRank(int local, World world, RequestPlan plan, Call call) {
    Transport transport = world.transport();
    try {
      return runRank(placed(local, plan), RankRun.of(plan, world, call.watch()), call.given());
    } catch (RuntimeException | Error e) {
      String activity = call.watch().activity(world.rank());
      Throwable told = MemoryCheck.explained(e, activity);
      transport.fail(told); // only the first reason counts
      if (told instanceof RuntimeException failure) {
        throw RankFailures.told(world.rank(), activity, failure);
      }
      throw e;
    }
  }

  /**
   * What the caller of one request gives.
   *
   * @param given tensors in the place of what would be made
   * @param watch who watches it
   */
  record Call(GivenTensors given, RequestWatch watch) {}
}
