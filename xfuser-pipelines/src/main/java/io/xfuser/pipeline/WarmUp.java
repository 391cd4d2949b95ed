package io.xfuser.pipeline;

import ai.djl.Device;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.Offload;
import io.xfuser.failure.CancelledException;
import io.xfuser.internal.parallel.DeviceMesh;
import io.xfuser.internal.parallel.MeshAxis;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.internal.runtime.Holding;
import io.xfuser.internal.runtime.Loads;
import io.xfuser.internal.runtime.PlacedPipeline;
import io.xfuser.internal.runtime.RequestWatch;
import io.xfuser.internal.runtime.Shared;
import io.xfuser.nn.Range;
import io.xfuser.progress.Progress;
import io.xfuser.progress.Progress.Component;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Loads before the first request what the ranks of this JVM need for any.
 *
 * @param pipeline the components
 * @param engine what all ranks were told
 * @param ranks those of this JVM
 */
record WarmUp(DiffusionPipeline pipeline, EngineConfig engine, LocalRanks ranks) {
  /** Waits for its turn, and for all to be loaded; an interrupt or the listener ends it early. */
  void run(RequestQueue queue, Function<Runnable, Telling> listening) {
    AtomicReference<String> stop = new AtomicReference<>("");
    CompletableFuture<Void> done = new CompletableFuture<>();
    Telling telling = listening.apply(() -> stop.set("cancelled"));
    RequestQueue.Job job =
        new RequestQueue.Job(
            () -> work(done, () -> loadAll(telling, stop)), done::completeExceptionally, stop::set);
    queue.add(job, true);
    telling.await(
        done,
        by -> {
          stop.set(by);
          if (queue.withdraw(job)) {
            done.completeExceptionally(new CancelledException(by + " before loading began"));
          }
        });
    requireWanted(stop, "after loading");
  }

  private static Runnable work(CompletableFuture<Void> done, Runnable work) {
    try {
      work.run();
      return () -> done.complete(null);
    } catch (RuntimeException | Error e) {
      return () -> done.completeExceptionally(e);
    }
  }

  private static void requireWanted(AtomicReference<String> stop, String where) {
    String by = Objects.requireNonNullElse(stop.get(), "");
    if (!by.isEmpty()) {
      throw new CancelledException(by + " " + where);
    }
  }

  private void loadAll(Telling telling, AtomicReference<String> stop) {
    RequestWatch watch = new RequestWatch(telling::tell, false);
    List<CompletableFuture<Boolean>> loading = new ArrayList<>();
    for (int local = 0; local < ranks.threads().size(); local++) {
      int rank = ranks.numbers().get(local);
      Device device = ranks.devices().get(local);
      Consumer<Progress> told =
          progress -> {
            requireWanted(stop, "while " + progress.doing());
            watch.progressed(rank, progress);
          };
      loading.add(ranks.threads().get(local).submit(() -> load(rank, device, told)));
    }
    Throwable first = null;
    for (CompletableFuture<Boolean> rank : loading) {
      try {
        rank.join();
      } catch (CompletionException e) {
        first = first == null ? e : first;
      }
    }
    telling.end();
    if (first != null) {
      throw RankFailures.unchecked(first);
    }
  }

  private boolean load(int rank, Device device, Consumer<Progress> told) {
    Placement place = pipeline.placement(engine, device, pipeline.loras().own());
    try (Shared.Lease<? extends PlacedPipeline<?>> placed = pipeline.on(place)) {
      load(rank, new Loads<>(placed.get(), Holding.of(engine), told));
      return true;
    }
  }

  private void load(int rank, Loads<?> loads) {
    DeviceMesh mesh = RankPlan.mesh(engine.parallel());
    if (rank < mesh.size()) {
      int stage = mesh.coordinate(rank, MeshAxis.PIPELINE);
      Range blocks = RankPlan.stage(engine.parallel(), pipeline.spec(), stage);
      Share share = new Share(mesh.coordinate(rank, MeshAxis.TENSOR), mesh.degree(MeshAxis.TENSOR));
      for (int number = 0; number < loads.pipeline().transformers().size(); number++) {
        loads.stage(number, blocks, share);
      }
      loadEncoder(rank, mesh.replica(rank), loads);
    }
    if (engine.held() == Offload.NONE && decodes(mesh, rank)) {
      loads.decoder().close(); // which keeps it
    }
  }

  /** Whether it decodes in some request. */
  private boolean decodes(DeviceMesh mesh, int rank) {
    return engine.parallel().worldSize() > mesh.size()
        ? rank >= mesh.size()
        : engine.runtime().useParallelVae() || RequestPlan.isSource(mesh, rank);
  }

  private void loadEncoder(int rank, List<Integer> replica, Loads<?> loads) {
    if (engine.held() != Offload.NONE) {
      return;
    }
    if (replica.get(0) == rank && loads.pipeline().model().bytes(Component.PICTURE_ENCODER) > 0) {
      loads.pictureEncoder().close();
    }
    if (engine.runtime().shardTextEncoder()) {
      loads.textEncoder(new Share(replica.indexOf(rank), replica.size())).close();
    } else if (replica.get(0) == rank) {
      loads.textEncoder(Share.WHOLE).close();
    }
  }
}
