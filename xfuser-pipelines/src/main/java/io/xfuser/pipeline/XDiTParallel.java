package io.xfuser.pipeline;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.MemoryException;
import io.xfuser.failure.MismatchException;
import io.xfuser.failure.QueueFullException;
import io.xfuser.failure.RankException;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.runtime.RequestWatch;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GivenTensors;
import io.xfuser.parallel.SocketConfig;
import io.xfuser.progress.ProgressListener;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;

/**
 * A pipeline run by many ranks: all of them threads of this JVM, or one of them here and the others
 * in JVMs of their own. Requests may have other sizes, prompts and steps each time; those of
 * several threads queue, and are served in the order in which they came. A failure throws and never
 * ends the JVM.
 *
 * <p>After any failure the next call works, unless a rank in a JVM of its own was lost, its process
 * or a connection: then every later call throws a {@link ClosedException}.
 */
public final class XDiTParallel implements AutoCloseable {
  static final Duration TIMEOUT = Duration.ofMinutes(30);

  private final RequestStart requests;
  private final Runnable owned; // closes what is closed with this
  private final RequestQueue queue;

  XDiTParallel(DiffusionPipeline pipeline, Runnable owned, EngineConfig engine, LocalRanks ranks) {
    pipeline.require(engine.runtime(), ranks.devices().get(0).isGpu());
    this.requests = new RequestStart(pipeline, engine, ranks);
    this.owned = owned;
    this.queue = new RequestQueue(this::release).start();
  }

  /**
   * This JVM is one rank of {@code world}, see {@link Worlds#connect}.
   *
   * @throws IllegalArgumentException if the engine has another number of ranks or element type, its
   *     device cannot be had, or pipeline or {@code world} cannot do what its runtime asks for
   */
  public XDiTParallel(DiffusionPipeline pipeline, EngineConfig engine, World world) {
    this(pipeline, () -> {}, engine, LocalRanks.one(engine, world, System.getenv()));
  }

  /**
   * This JVM is one rank of several that meet at {@code place}, and is so until what is returned is
   * closed. They exchange tensors over sockets, on GPUs by NCCL. {@code pipeline} stays the
   * caller's to close.
   *
   * @throws IllegalArgumentException as the constructor, or if only some ranks compute on GPUs
   * @throws MismatchException if ranks differ in their version, settings or model
   * @throws CommunicationException if they do not find one another
   */
  public static XDiTParallel join(
      DiffusionPipeline pipeline, EngineConfig engine, SocketConfig place) {
    World world = Worlds.join(pipeline, engine, place);
    try {
      LocalRanks ranks = LocalRanks.one(engine, world, System.getenv());
      return new XDiTParallel(pipeline, world::close, engine, ranks);
    } catch (RuntimeException | Error e) {
      world.close();
      throw e;
    }
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

  /** The same; each rank is on the GPU that its place, from 0, counts to, round and round. */
  public static XDiTParallel inProcess(
      DiffusionPipeline pipeline, EngineConfig engine, List<Integer> places) {
    LocalRanks ranks = LocalRanks.all(engine, System.getenv(), places);
    return new XDiTParallel(pipeline, () -> {}, engine, ranks);
  }

  /**
   * Opens the engine's model, which is downloaded if it is one of the hub and not in the cache; all
   * ranks are threads of this JVM.
   *
   * @throws RuntimeException as {@link DiffusionPipeline#fromPretrained(EngineConfig)}
   */
  public static XDiTParallel inProcess(EngineConfig engine) {
    return inProcess(DiffusionPipeline.fromPretrained(engine), true, engine);
  }

  /** The same, and tells {@code listener} of downloading and opening, on this thread. */
  public static XDiTParallel inProcess(EngineConfig engine, ProgressListener listener) {
    return inProcess(
        DiffusionPipeline.fromPretrained(engine.model(), engine.runtime(), listener), true, engine);
  }

  static XDiTParallel inProcess(DiffusionPipeline pipeline, boolean owns, EngineConfig engine) {
    try {
      Runnable owned = owns ? pipeline::close : () -> {};
      return new XDiTParallel(pipeline, owned, engine, LocalRanks.all(engine, System.getenv()));
    } catch (RuntimeException | Error e) {
      if (owns) {
        pipeline.close();
      }
      throw e;
    }
  }

  /** Generates. */
  public Generation generate(InputConfig input) {
    return generate(input, GivenTensors.NONE, ProgressListener.NONE);
  }

  /** Generates and tells {@code listener} of all progress. */
  public Generation generate(InputConfig input, ProgressListener listener) {
    return generate(input, GivenTensors.NONE, listener);
  }

  /**
   * {@linkplain #submit(InputConfig, GivenTensors, ProgressListener) Submits}, and {@linkplain
   * GenerationTask#await waits}.
   *
   * <p>An interrupt of the calling thread cancels on all ranks; where the request still waits and
   * ranks have JVMs of their own, in its turn, because the other ranks' calls wait for it.
   *
   * @throws IllegalArgumentException if the model cannot do what is asked, or the tensors given do
   *     not fit it; nothing was computed
   * @throws MismatchException if other ranks of a world were asked for something else or refused
   *     it; nothing was computed
   * @throws QueueFullException if too many requests wait
   * @throws CancelledException if it was cancelled or its caller interrupted, on any rank
   * @throws MemoryException if memory runs out, or certainly would
   * @throws RankException if a rank failed otherwise, or was lost
   * @throws CommunicationException if a rank of another JVM does not answer or has left
   * @throws ClosedException if this is closed, or its world is, because a rank was lost before
   */
  public Generation generate(InputConfig input, GivenTensors given, ProgressListener listener) {
    return submit(input, given, listener).await();
  }

  /** Submits. */
  public GenerationTask submit(InputConfig input) {
    return submit(input, GivenTensors.NONE, ProgressListener.NONE);
  }

  /** Submits, and has {@code listener} told of all progress. */
  public GenerationTask submit(InputConfig input, ProgressListener listener) {
    return submit(input, GivenTensors.NONE, listener);
  }

  /**
   * Puts a request at the end of the queue, and returns at once. What can be refused without
   * waiting is refused now. Every rank of a world submits the same requests in the same order;
   * there all is refused in the request's turn, so that all ranks hear of it.
   *
   * <p>The listener is called on a thread of its own, one event at a time: how long it takes holds
   * up neither ranks nor other requests, and where it lags, events within a phase are left out,
   * never the last. It cancels by returning false. It may call anything, {@code close} of this
   * included, during which it hears nothing more. If it throws, the request goes on without it.
   *
   * @param given belongs to the caller, who keeps it open until the request is over
   * @throws RuntimeException as {@link #generate(InputConfig, GivenTensors, ProgressListener)}, but
   *     only what is known before waiting
   */
  public GenerationTask submit(InputConfig input, GivenTensors given, ProgressListener listener) {
    Objects.requireNonNull(listener, "listener");
    return submit(input, given, listener, task -> task.watch(false));
  }

  /**
   * Generates like {@link #generate(InputConfig, GivenTensors, ProgressListener)}, and records what
   * every rank does when: {@link Generation#trace}. Takes 100 bytes of memory for an event.
   */
  public Generation trace(InputConfig input, GivenTensors given, ProgressListener listener) {
    return submit(input, given, listener, task -> task.watch(true)).await();
  }

  GenerationTask submit(
      InputConfig input,
      GivenTensors given,
      ProgressListener listener,
      Function<GenerationTask, RequestWatch> watching) {
    Objects.requireNonNull(input, "input");
    QueueFullException full = queue.full();
    Asked asked =
        full != null ? new Asked(null, full) : Asked.of(() -> requests.check().plan(input, given));
    if (requests.ranks().world() == null) {
      asked.plan();
    }
    RequestCourse course =
        new RequestCourse(requests, queue, asked, new Asked.By(input, given), null);
    GenerationTask task =
        new GenerationTask(course, watching, cancel -> new Telling(listener, cancel));
    task.enqueue();
    return task;
  }

  /**
   * Judges a request without running it: its sizes, steps and seeds with the model's defaults.
   *
   * @throws IllegalArgumentException as {@link #submit(InputConfig)}
   */
  public GenerationRequest check(InputConfig input) {
    return requests.check().plan(input, GivenTensors.NONE).request();
  }

  /** What requests may have. */
  public Set<Setting<?>> settings() {
    return requests.pipeline().model().settings();
  }

  /** Loads. */
  public void load() {
    load(ProgressListener.NONE);
  }

  /**
   * Loads what the ranks of this JVM need for any request: transformer, text encoders and decoder.
   * Waits for its turn, and returns when all is ready. Where weights leave the device between uses,
   * only the transformer's files are checked. Ranks in other JVMs need not call it.
   *
   * @throws CancelledException if the listener returns false, or the thread is interrupted
   */
  public void load(ProgressListener listener) {
    new WarmUp(requests.pipeline(), requests.engine(), requests.ranks())
        .run(queue, cancel -> new Telling(listener, cancel));
  }

  /** The model, how it is computed, and by how many ranks. */
  public EngineConfig engine() {
    return requests.engine();
  }

  /** Requests that wait, without the one that runs. */
  public int waiting() {
    return queue.length();
  }

  /**
   * Lets {@code most} requests wait from now on, 64 if nobody says otherwise; one more is refused
   * by {@link QueueFullException}. 0 takes a request only if none is running. Where ranks have JVMs
   * of their own, one more is refused in its turn, by all of them.
   */
  public void limitWaiting(int most) {
    if (most < 0) {
      throw new ArgumentException("no less than 0 requests can wait, but " + most + " are to");
    }
    queue.limit(most);
  }

  /** Whether it takes requests: it is not closed, and no rank of its world was lost. */
  public boolean isOpen() {
    return queue.isOpen() && requests.ranks().complete();
  }

  /** Ends it: what waits is refused, what runs is waited for, interrupted or not. */
  @Override
  public void close() {
    queue.close(null);
  }

  /**
   * The same, but cancels what takes longer than {@code limit}, or when the thread is interrupted.
   *
   * @return whether nothing had to be cancelled
   */
  public boolean close(Duration limit) {
    return queue.close(Objects.requireNonNull(limit, "limit"));
  }

  RequestStart requests() {
    return requests;
  }

  RequestQueue queue() {
    return queue;
  }

  private void release() {
    requests.ranks().threads().forEach(RankThread::close);
    owned.run();
  }
}
