package io.xfuser.pipeline;

import ai.djl.Device;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.Offload;
import io.xfuser.config.OutputType;
import io.xfuser.hub.HubException;
import io.xfuser.parallel.CancelledException;
import io.xfuser.parallel.CommunicationException;
import io.xfuser.parallel.Transport;
import io.xfuser.parallel.World;
import io.xfuser.parallel.inprocess.InProcessRanks;
import io.xfuser.parallel.nccl.GpuWorld;
import io.xfuser.trace.Trace;
import io.xfuser.weights.Placement;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
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
  private final LocalRanks ranks;
  private boolean closed;

  private XDiTParallel(
      DiffusionPipeline pipeline, boolean ownsPipeline, EngineConfig engine, LocalRanks ranks) {
    pipeline.requireType(engine.runtime().dtype());
    KernelCheck.require(
        engine.runtime(), pipeline.spec().headSize(), ranks.devices().get(0).isGpu());
    if (engine.runtime().shardT5Encoder()) {
      pipeline.requireT5();
    }
    this.pipeline = pipeline;
    this.ownsPipeline = ownsPipeline;
    this.engine = engine;
    this.ranks = ranks;
  }

  /**
   * This JVM is one rank of {@code world}, see {@link #connect}.
   *
   * @throws IllegalArgumentException if the engine has another number of ranks, the pipeline was
   *     opened in another element type than the engine's, the engine's device cannot be had, or
   *     {@code world} does not carry its tensors
   */
  public XDiTParallel(DiffusionPipeline pipeline, EngineConfig engine, World world) {
    this(pipeline, false, engine, LocalRanks.one(engine, world));
  }

  /**
   * The ranks of {@code world}, each of which has a JVM, exchanging tensors of the engine's device:
   * {@code world} itself on the CPU, else {@link GpuWorld#over}. Which GPU is this rank's, {@link
   * #device} says. Closing what is returned closes {@code world}, and so does a failure.
   *
   * @throws IllegalArgumentException if the engine's device cannot be had
   */
  public static World connect(EngineConfig engine, World world) {
    try {
      return GpuWorld.over(world, device(engine, world.rank()), TIMEOUT);
    } catch (RuntimeException e) {
      world.close();
      throw e;
    }
  }

  /**
   * Where a rank with a JVM of its own computes: on the GPU that the engine names, else on the one
   * of its number on this machine, {@code LOCAL_RANK} or {@code SLURM_LOCALID}.
   *
   * @param rank its number on a machine that does not say
   * @throws IllegalArgumentException if the engine's device cannot be had
   */
  public static Device device(EngineConfig engine, int rank) {
    return LocalRanks.device(engine, rank);
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
    return new XDiTParallel(pipeline, owns, engine, LocalRanks.all(engine));
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
    // all is planned, and what no rank could do is rejected, before any rank starts
    RequestPlan plan = RequestPlan.of(engine, pipeline.spec(), request);
    World world = ranks.world();
    if (engine.runtime().verbose() && (world == null || world.rank() == 0)) {
      plan.describe(pipeline.spec(), rank -> ranks.planned(engine, rank))
          .forEach(line -> LOG.info("{}", line));
    }
    String key = input.outputType() == OutputType.LATENT ? "latents" : "images";
    Generation.Output output =
        new Generation.Output(
            pipeline.name() + "_" + engine.parallel().label(), key, request.latents().frames());
    AtomicBoolean interrupted = new AtomicBoolean();
    StepListener stoppable =
        (step, steps) -> !interrupted.get() && watch.listener().stepTaken(step, steps);
    Watch watching = new Watch(stoppable, watch.trace());
    return Generation.of(await(start(plan, new Call(given, watching)), interrupted), output);
  }

  private List<Future<RankResult>> start(RequestPlan plan, Call call) {
    List<Future<RankResult>> running = new ArrayList<>();
    World here = ranks.world();
    if (here != null) {
      here.transport().begin();
      PlacedPipeline<?> placed = placed(0);
      running.add(ranks.threads().get(0).submit(() -> runRank(placed, here, plan, call)));
    } else {
      InProcessRanks all = new InProcessRanks(ranks.threads().size(), TIMEOUT);
      for (int rank = 0; rank < ranks.threads().size(); rank++) {
        World mine = ranks.within(all, rank);
        PlacedPipeline<?> placed = placed(rank);
        running.add(ranks.threads().get(rank).submit(() -> runRank(placed, mine, plan, call)));
      }
    }
    return running;
  }

  private PlacedPipeline<?> placed(int local) {
    boolean layerwise = engine.runtime().offload() == Offload.SEQUENTIAL;
    return pipeline.on(new Placement(ranks.devices().get(local), layerwise));
  }

  /** What a caller gives. */
  private record Call(GivenTensors given, Watch watch) {}

  private static RankResult runRank(
      PlacedPipeline<?> placed, World world, RequestPlan plan, Call call) {
    Transport transport = world.transport();
    try {
      return plan.run(
          placed, world, call.watch().trace().get(), call.given(), call.watch().listener());
    } catch (RuntimeException | Error e) {
      transport.fail(e); // only the first reason counts
      throw e;
    }
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
    ranks.threads().forEach(RankThread::close);
    if (ownsPipeline) {
      pipeline.close();
    }
  }
}
