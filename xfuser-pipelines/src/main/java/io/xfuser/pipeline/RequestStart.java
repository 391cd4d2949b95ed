package io.xfuser.pipeline;

import io.xfuser.config.EngineConfig;
import io.xfuser.internal.parallel.Fingerprint;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.internal.runtime.RankResult;
import io.xfuser.weights.Placement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hands requests that are planned to the ranks of this JVM.
 *
 * @param pipeline the components
 * @param engine what all ranks were told
 * @param ranks those of this JVM
 */
record RequestStart(DiffusionPipeline pipeline, EngineConfig engine, LocalRanks ranks) {
  private static final Logger LOG = LoggerFactory.getLogger(XDiTParallel.class);

  /** Judges them before. */
  RequestCheck check() {
    return new RequestCheck(pipeline, engine, ranks);
  }

  private void describe(RequestPlan plan) {
    World world = ranks.world();
    if (engine.runtime().verbose() && (world == null || world.rank() == 0)) {
      plan.describe(pipeline.spec(), rank -> ranks.planned(engine, rank))
          .forEach(line -> LOG.info("{}", line));
    }
  }

  /** Starts a request; {@code seated} hears of its ranks before they begin. */
  RunningRequest start(Asked asked, RankSeat.Call call, Consumer<List<RankSeat>> seated) {
    World here = ranks.world();
    if (here != null) {
      here.transport().begin();
      CompletableFuture<@Nullable RankResult> one =
          ranks.threads().get(0).submit(() -> runWithOthers(here, asked, call));
      return new RunningRequest(List.of(one), here.transport()::cancel, call.watch());
    }
    describe(asked.plan());
    InProcessRanks all = new InProcessRanks(ranks.threads().size(), XDiTParallel.TIMEOUT);
    List<World> worlds = // all of them, before a rank waits for another
        ranks.numbers().stream().map(rank -> ranks.within(all, rank)).toList();
    List<RankSeat> seats = worlds.stream().map(world -> seat(world, asked.plan(), call)).toList();
    seated.accept(seats);
    return new RunningRequest(go(seats), all.transport(0)::cancel, call.watch());
  }

  /** Has all ranks do their parts, or what is left of them. */
  List<CompletableFuture<@Nullable RankResult>> go(List<RankSeat> seats) {
    List<CompletableFuture<@Nullable RankResult>> running = new ArrayList<>();
    for (int rank = 0; rank < seats.size(); rank++) {
      running.add(ranks.threads().get(rank).submit(seats.get(rank)::go));
    }
    return running;
  }

  /** Once all ranks agree about what they were asked for. */
  private @Nullable RankResult runWithOthers(World world, Asked asked, RankSeat.Call call) {
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
    return seat(world, asked.plan(), call).go();
  }

  private Fingerprint fingerprint(Asked asked, RankSeat.Call call) {
    return pipeline
        .fingerprint()
        .and(RequestFingerprint.of(asked.plan(), call.given()))
        .with("tracing", call.watch().traces());
  }

  private RankSeat seat(World world, RequestPlan plan, RankSeat.Call call) {
    Placement place = pipeline.placement(engine, world.device(), plan.loras());
    return new RankSeat(world, plan, () -> pipeline.on(place), call);
  }
}
