package io.xfuser.pipeline;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.parallel.CancelledException;
import io.xfuser.parallel.CommunicationException;
import io.xfuser.parallel.Transport;
import io.xfuser.parallel.World;
import io.xfuser.parallel.inprocess.InProcessRanks;
import io.xfuser.transformer.LoadedTransformer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A pipeline run by many ranks: all of them threads of this JVM, or one of them here and the others
 * in JVMs of their own. {@code generate} may be called again with other sizes, prompts and steps;
 * calls of several threads queue. A failure throws, names the rank and what it was doing, and never
 * ends the JVM.
 */
public final class XDiTParallel implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(XDiTParallel.class);
  private static final Duration TIMEOUT = Duration.ofMinutes(30);

  private final DiffusionPipeline pipeline;
  private final boolean ownsPipeline;
  private final EngineConfig engine;
  private final @Nullable World world;
  private final List<RankThread> threads;

  private XDiTParallel(
      DiffusionPipeline pipeline,
      boolean ownsPipeline,
      EngineConfig engine,
      @Nullable World world,
      List<RankThread> threads) {
    this.pipeline = pipeline;
    this.ownsPipeline = ownsPipeline;
    this.engine = engine;
    this.world = world;
    this.threads = threads;
  }

  /**
   * This JVM is one rank of {@code world}.
   *
   * @throws IllegalArgumentException if the degrees do not multiply to the number of ranks
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

  /** All ranks are threads of this JVM; {@code pipeline} stays the caller's to close. */
  public static XDiTParallel inProcess(DiffusionPipeline pipeline, EngineConfig engine) {
    return inProcess(pipeline, false, engine);
  }

  /** Opens {@code directory}; all ranks are threads of this JVM. */
  public static XDiTParallel inProcess(Path directory, EngineConfig engine) {
    DiffusionPipeline pipeline =
        DiffusionPipeline.fromPretrained(ModelConfig.of(directory), engine.runtime());
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
   * @throws IllegalArgumentException if the model cannot do what is asked; nothing was computed
   * @throws CancelledException if a listener cancelled
   * @throws CommunicationException if another rank failed
   */
  public synchronized Generation generate(
      InputConfig input, GivenTensors given, StepListener listener) {
    GenerationRequest request = pipeline.model().resolve(input);
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
        new Generation.Output(pipeline.name() + "_" + engine.parallel().label(), key);
    return Generation.of(runAll(plans, given, listener), output);
  }

  private List<RankResult> runAll(List<RankPlan> plans, GivenTensors given, StepListener listener) {
    List<Future<RankResult>> running = new ArrayList<>();
    World here = world;
    if (here != null) {
      here.transport().begin();
      running.add(
          threads.get(0).submit(() -> runRank(here, plans.get(here.rank()), given, listener)));
    } else {
      InProcessRanks ranks = new InProcessRanks(threads.size(), TIMEOUT);
      for (int rank = 0; rank < threads.size(); rank++) {
        World mine = new World(ranks.transport(rank));
        RankPlan itsPlan = plans.get(rank);
        running.add(threads.get(rank).submit(() -> runRank(mine, itsPlan, given, listener)));
      }
    }
    return await(running);
  }

  private RankResult runRank(
      World ranks, RankPlan plan, GivenTensors given, StepListener listener) {
    Transport transport = ranks.transport();
    try {
      return rankPipeline(pipeline.transformer(), ranks, plan).run(given, listener);
    } catch (CommunicationException e) {
      throw e; // the others know already
    } catch (RuntimeException | Error e) {
      transport.fail(e);
      throw e;
    }
  }

  private <C> RankPipeline<C> rankPipeline(
      LoadedTransformer<C> transformer, World ranks, RankPlan plan) {
    return new RankPipeline<>(pipeline, transformer, engine, ranks, plan);
  }

  /** All results; if ranks failed, the reason of the one that failed first by itself. */
  private static List<RankResult> await(List<Future<RankResult>> running) {
    List<RankResult> results = new ArrayList<>();
    Throwable first = null;
    for (Future<RankResult> future : running) {
      try {
        results.add(future.get());
      } catch (ExecutionException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        if (first == null || first instanceof CommunicationException) {
          first = cause;
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CommunicationException("interrupted while the ranks were at work", e);
      }
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

  @Override
  public void close() {
    threads.forEach(RankThread::close);
    if (ownsPipeline) {
      pipeline.close();
    }
  }
}
