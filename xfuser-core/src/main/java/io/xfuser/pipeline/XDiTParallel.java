package io.xfuser.pipeline;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.hub.HubException;
import io.xfuser.parallel.CancelledException;
import io.xfuser.parallel.CommunicationException;
import io.xfuser.parallel.Transport;
import io.xfuser.parallel.World;
import io.xfuser.parallel.inprocess.InProcessRanks;
import io.xfuser.trace.Trace;
import io.xfuser.transformer.LoadedTransformer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A pipeline run by many ranks: all of them threads of this JVM, or one of them here and the others
 * in JVMs of their own. {@code generate} may be called again with other sizes, prompts and steps;
 * calls of several threads queue. A failure throws and never ends the JVM: the failing rank's own
 * exception where that rank is a thread of this JVM, else one that names the rank and what it was
 * doing. After it the next call works.
 */
public final class XDiTParallel implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(XDiTParallel.class);
  private static final Duration TIMEOUT = Duration.ofMinutes(30);

  private final DiffusionPipeline pipeline;
  private final boolean ownsPipeline;
  private final EngineConfig engine;
  private final @Nullable World world;
  private final List<RankThread> threads;
  private boolean closed;

  private XDiTParallel(
      DiffusionPipeline pipeline,
      boolean ownsPipeline,
      EngineConfig engine,
      @Nullable World world,
      List<RankThread> threads) {
    pipeline.requireType(engine.runtime().dtype());
    if (engine.runtime().shardT5Encoder()) {
      pipeline.requireT5();
    }
    this.pipeline = pipeline;
    this.ownsPipeline = ownsPipeline;
    this.engine = engine;
    this.world = world;
    this.threads = threads;
  }

  /**
   * This JVM is one rank of {@code world}.
   *
   * @throws IllegalArgumentException if the degrees do not multiply to the number of ranks, or the
   *     pipeline was opened in another element type than the engine's
   */
  public XDiTParallel(DiffusionPipeline pipeline, EngineConfig engine, World world) {
    this(pipeline, false, engine, world, List.of(oneThread(engine, world)));
  }

  private static RankThread oneThread(EngineConfig engine, World world) {
    engine.parallel().requireWorldSize(world.size());
    return new RankThread(world.rank(), RankThread.threadsPerRank(localRanks(world)));
  }

  private static int localRanks(World world) {
    String local = System.getenv("LOCAL_WORLD_SIZE");
    return local != null && local.matches("[1-9]\\d{0,5}") ? Integer.parseInt(local) : world.size();
  }

  /**
   * All ranks are threads of this JVM; {@code pipeline} stays the caller's to close.
   *
   * @throws IllegalArgumentException if the pipeline was opened in another element type than the
   *     engine's
   */
  public static XDiTParallel inProcess(DiffusionPipeline pipeline, EngineConfig engine) {
    return inProcess(pipeline, false, engine);
  }

  /**
   * Opens {@code directory}, or the model of the hub that it names, in the place of the engine's
   * own; all ranks are threads of this JVM.
   *
   * @throws IllegalArgumentException if there is no such pipeline, or a component is missing or not
   *     supported
   * @throws HubException if its download fails
   */
  public static XDiTParallel inProcess(Path directory, EngineConfig engine) {
    ModelConfig model = engine.model().at(directory);
    DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(model, engine.runtime());
    return inProcess(pipeline, true, engine);
  }

  private static XDiTParallel inProcess(
      DiffusionPipeline pipeline, boolean owns, EngineConfig engine) {
    int size = engine.parallel().worldSize();
    int each = RankThread.threadsPerRank(size);
    List<RankThread> threads =
        IntStream.range(0, size).mapToObj(rank -> new RankThread(rank, each)).toList();
    return new XDiTParallel(pipeline, owns, engine, null, threads);
  }

  /** Generates; see {@link #generate(InputConfig, GivenTensors, StepListener)}. */
  public Generation generate(InputConfig input) {
    return generate(input, GivenTensors.NONE, StepListener.NONE);
  }

  /** Generates and tells {@code listener} of every step. */
  public Generation generate(InputConfig input, StepListener listener) {
    return generate(input, GivenTensors.NONE, listener);
  }

  /**
   * Generates. Every rank of a world calls it with the same arguments.
   *
   * @throws IllegalArgumentException if the model cannot do what is asked, or the tensors given do
   *     not fit it; nothing was computed
   * @throws CancelledException if a listener cancelled, or the calling thread was interrupted
   * @throws CommunicationException if a rank in another JVM failed
   * @throws IllegalStateException if this is closed
   */
  public Generation generate(InputConfig input, GivenTensors given, StepListener listener) {
    return run(input, given, new Watch(listener, () -> Trace.OFF));
  }

  /**
   * Generates like {@link #generate(InputConfig, GivenTensors, StepListener)}, and records what
   * every rank does when: {@link Generation#trace}. Needs about 100 bytes of memory per event, a
   * few for each patch of each step, and two for each message.
   */
  public Generation trace(InputConfig input, GivenTensors given, StepListener listener) {
    return run(input, given, new Watch(listener, Trace::recording));
  }

  /** Who watches: of all ranks together, and of each. */
  private record Watch(StepListener listener, Supplier<Trace> trace) {}

  private synchronized Generation run(InputConfig input, GivenTensors given, Watch watch) {
    if (closed) {
      throw new IllegalStateException("the pipeline is closed");
    }
    GenerationRequest request = pipeline.model().resolve(given.complete(input));
    given.check(request);
    // all plans are made, and what no rank could do is rejected, before any rank starts
    List<RankPlan> plans =
        IntStream.range(0, engine.parallel().worldSize())
            .mapToObj(rank -> RankPlan.of(rank, engine, pipeline.transformer().spec(), request))
            .toList();
    if (engine.runtime().verbose() && (world == null || world.rank() == 0)) {
      plans.forEach(plan -> LOG.info("{}", plan.describe(pipeline.transformer().spec())));
    }
    String key = input.outputType() == OutputType.LATENT ? "latents" : "images";
    Generation.Output output =
        new Generation.Output(
            pipeline.name() + "_" + engine.parallel().label(), key, request.latents().frames());
    AtomicBoolean interrupted = new AtomicBoolean();
    StepListener stoppable =
        (step, steps) -> !interrupted.get() && watch.listener().stepTaken(step, steps);
    Watch watching = new Watch(stoppable, watch.trace());
    return Generation.of(await(start(plans, given, watching), interrupted), output);
  }

  private List<Future<RankResult>> start(List<RankPlan> plans, GivenTensors given, Watch watch) {
    List<Future<RankResult>> running = new ArrayList<>();
    World here = world;
    if (here != null) {
      here.transport().begin();
      running.add(threads.get(0).submit(() -> runRank(here, plans.get(here.rank()), given, watch)));
    } else {
      InProcessRanks ranks = new InProcessRanks(threads.size(), TIMEOUT);
      for (int rank = 0; rank < threads.size(); rank++) {
        World mine = new World(ranks.transport(rank));
        RankPlan itsPlan = plans.get(rank);
        running.add(threads.get(rank).submit(() -> runRank(mine, itsPlan, given, watch)));
      }
    }
    return running;
  }

  private RankResult runRank(World ranks, RankPlan plan, GivenTensors given, Watch watch) {
    Transport transport = ranks.transport();
    RankPipeline.Rank rank = new RankPipeline.Rank(ranks, plan, watch.trace().get());
    try {
      return rankPipeline(pipeline.transformer(), rank).run(given, watch.listener());
    } catch (RuntimeException | Error e) {
      transport.fail(e); // only the first reason counts
      throw e;
    }
  }

  private <C> RankPipeline<C> rankPipeline(
      LoadedTransformer<C> transformer, RankPipeline.Rank rank) {
    return new RankPipeline<>(pipeline, transformer, engine, rank);
  }

  /**
   * All results, once no rank is at work any more; if ranks failed, the reason of the one that
   * failed first by itself. An interrupt lets the ranks stop after the step they are in.
   */
  private static List<RankResult> await(
      List<Future<RankResult>> running, AtomicBoolean interrupted) {
    List<RankResult> results = new ArrayList<>();
    Throwable first = null;
    for (Future<RankResult> future : running) {
      try {
        results.add(uninterrupted(future, interrupted));
      } catch (ExecutionException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        if (first == null || first instanceof CommunicationException) {
          first = cause;
        }
      }
    }
    if (interrupted.get()) {
      Thread.currentThread().interrupt();
    }
    if (first instanceof RuntimeException e) {
      throw e;
    } else if (first instanceof Error e) {
      throw e;
    } else if (first != null) {
      throw new IllegalStateException(first);
    }
    return results;
  }

  private static RankResult uninterrupted(Future<RankResult> future, AtomicBoolean interrupted)
      throws ExecutionException {
    while (true) {
      try {
        return future.get();
      } catch (InterruptedException e) {
        interrupted.set(true); // the caller's tensors are in use until the ranks have stopped
      }
    }
  }

  /** Waits for a generation that is under way. */
  @Override
  public synchronized void close() {
    closed = true;
    threads.forEach(RankThread::close);
    if (ownsPipeline) {
      pipeline.close();
    }
  }
}
