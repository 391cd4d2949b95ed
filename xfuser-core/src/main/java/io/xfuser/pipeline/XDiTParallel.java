package io.xfuser.pipeline;

import ai.djl.Device;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.HubException;
import io.xfuser.failure.MemoryException;
import io.xfuser.failure.MismatchException;
import io.xfuser.failure.RankException;
import io.xfuser.parallel.World;
import io.xfuser.parallel.nccl.GpuWorld;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.torchscript.AttentionKernel;
import java.time.Duration;
import java.util.List;

/**
 * A pipeline run by many ranks: all of them threads of this JVM, or one of them here and the others
 * in JVMs of their own. {@code generate} may be called again with other sizes, prompts and steps;
 * calls of several threads queue, and are served in the order in which they came. A failure throws
 * and never ends the JVM: the failing rank's own exception where that rank is a thread of this JVM,
 * else one that names the rank and what it was doing.
 *
 * <p>After any failure the next call works where all ranks are threads of this JVM. Where ranks
 * have JVMs of their own, it works too, unless a rank was lost, its process or a connection: then
 * this call throws a {@link RankException}, and every later one a {@link ClosedException}.
 */
public final class XDiTParallel implements AutoCloseable {
  static final Duration TIMEOUT = Duration.ofMinutes(30);

  private final DiffusionPipeline pipeline;
  private final boolean ownsPipeline;
  private final EngineConfig engine;
  private final LocalRanks ranks;
  private final Turns turns = new Turns();

  private XDiTParallel(
      DiffusionPipeline pipeline, boolean ownsPipeline, EngineConfig engine, LocalRanks ranks) {
    pipeline.requireType(engine.runtime().dtype());
    AttentionKernel kernel = engine.runtime().attentionBackend();
    boolean gpu = ranks.devices().get(0).isGpu();
    kernel.require(gpu, engine.runtime().dtype(), pipeline.spec().headSize());
    if (engine.runtime().shardT5Encoder()) {
      pipeline.requireT5();
    }
    RuntimeConfig runtime = engine.runtime();
    pipeline
        .model()
        .check(new VaeDecoder.DecodeOptions(runtime.enableSlicing(), runtime.enableTiling()));
    this.pipeline = pipeline;
    this.ownsPipeline = ownsPipeline;
    this.engine = engine;
    this.ranks = ranks;
  }

  /**
   * This JVM is one rank of {@code world}, see {@link #connect}.
   *
   * @throws IllegalArgumentException if the engine has another number of ranks, the pipeline was
   *     opened in another element type than the engine's, cannot do what the engine's runtime asks
   *     for, the engine's device cannot be had, or {@code world} does not carry its tensors
   */
  public XDiTParallel(DiffusionPipeline pipeline, EngineConfig engine, World world) {
    this(pipeline, false, engine, LocalRanks.one(engine, world));
  }

  /**
   * The ranks of {@code world}, each of which has a JVM, exchanging tensors of the engine's device:
   * {@code world} itself on the CPU, else {@link GpuWorld#over}. Which GPU is this rank's, {@link
   * #device} says. Closing what is returned closes {@code world}, and so does a failure.
   *
   * @throws IllegalArgumentException if the engine's device cannot be had, or some ranks compute on
   *     GPUs and others do not
   */
  public static World connect(EngineConfig engine, World world) {
    try {
      Device device = device(engine, world.rank());
      world.requireEqual(EngineFingerprint.device(device));
      return GpuWorld.over(world, device, TIMEOUT);
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
   * Opens the engine's model, which is downloaded if it is one of the hub and not in the cache; all
   * ranks are threads of this JVM.
   *
   * @throws IllegalArgumentException if there is no such pipeline, or it is not supported
   * @throws HubException if its download fails
   */
  public static XDiTParallel inProcess(EngineConfig engine) {
    return inProcess(DiffusionPipeline.fromPretrained(engine), true, engine);
  }

  /** {@code owns} says that {@code pipeline} is closed with this, and if this cannot be made. */
  static XDiTParallel inProcess(DiffusionPipeline pipeline, boolean owns, EngineConfig engine) {
    try {
      return new XDiTParallel(pipeline, owns, engine, LocalRanks.all(engine));
    } catch (RuntimeException | Error e) {
      if (owns) {
        pipeline.close();
      }
      throw e;
    }
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
   * Generates. Every rank of a world calls it with the same arguments; the listener is the caller's
   * own.
   *
   * <p>An interrupt of the calling thread cancels on all ranks, whichever rank it belongs to. Where
   * the request still waits for others, it is given up at once if all ranks are threads of this
   * JVM, else in its turn, because the other ranks' calls wait for it.
   *
   * @throws IllegalArgumentException if the model cannot do what is asked, or the tensors given do
   *     not fit it; nothing was computed, and the next call works
   * @throws MismatchException if other ranks of a world were asked for something else or refused
   *     it; nothing was computed, and the next call works
   * @throws CancelledException if a listener cancelled, or the calling thread was interrupted, here
   *     or in the JVM of another rank
   * @throws MemoryException if memory runs out; a request that certainly needs more than there is
   *     is refused before
   * @throws RankException if a rank failed otherwise, or was lost
   * @throws CommunicationException if a rank of another JVM does not answer or has left
   * @throws IllegalStateException if this is closed, or a listener of this calls it
   */
  public Generation generate(InputConfig input, GivenTensors given, StepListener listener) {
    return run(input, given, new RequestWatch(listener, false));
  }

  /**
   * Generates like {@link #generate(InputConfig, GivenTensors, StepListener)}, and records what
   * every rank does when: {@link Generation#trace}. Takes 100 bytes of memory for an event, of
   * which there are a few for each patch of each step, and two for each message.
   */
  public Generation trace(InputConfig input, GivenTensors given, StepListener listener) {
    return run(input, given, new RequestWatch(listener, true));
  }

  private Generation run(InputConfig input, GivenTensors given, RequestWatch watch) {
    requireNotListening("generate");
    Asked asked = Asked.of(() -> plan(input, given)); // what can be said of it is said now
    boolean together = ranks.world() != null;
    if (!together) {
      asked.plan();
    }
    turns.take(together);
    try {
      RunningRequest running =
          new RequestStart(pipeline, engine, ranks)
              .start(asked, new RequestPlan.Call(given, watch));
      List<RankResult> results = running.await();
      var output = Generation.Output.of(pipeline, engine, asked.plan().request());
      return Generation.of(results, output);
    } finally {
      turns.end();
    }
  }

  /** Plans all of it, and rejects what no rank could do. */
  private RequestPlan plan(InputConfig input, GivenTensors given) {
    GenerationRequest request = pipeline.model().resolve(given.complete(input));
    given.check(request);
    Scheduler scheduler = pipeline.model().scheduler(request.scheduler());
    RequestPlan plan =
        RequestPlan.of(engine, pipeline.spec(), request.withCalls(scheduler.timesteps().length));
    int draws = (given.latents() == null ? 1 : 0) + (scheduler.stochastic() ? plan.steps() : 0);
    MemoryCheck.require(plan, pipeline, ranks, draws);
    return plan;
  }

  /**
   * Ends it: what waits for its turn is refused, and a generation that is under way is waited for.
   *
   * @throws IllegalStateException if a listener of that generation calls it
   */
  @Override
  public void close() {
    requireNotListening("close");
    turns.close(this::release);
  }

  private void release() {
    ranks.threads().forEach(RankThread::close);
    if (ownsPipeline) {
      pipeline.close();
    }
  }

  private void requireNotListening(String method) {
    if (ranks.threads().stream().anyMatch(RankThread::isCurrent)) {
      throw new IllegalStateException(
          "a listener cannot call %s of the pipeline that it listens to, which would wait for itself;"
                  .formatted(method)
              + " to end the generation, it returns false");
    }
  }
}
