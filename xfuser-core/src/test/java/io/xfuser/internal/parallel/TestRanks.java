package io.xfuser.internal.parallel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.internal.parallel.nccl.NcclSimulation;
import io.xfuser.internal.parallel.socket.SocketWorld;
import io.xfuser.parallel.SocketConfig;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Runs the same code on several ranks, each a thread of the test. */
public enum TestRanks {
  IN_PROCESS,
  SOCKET,
  SOCKET_WITHOUT_SHARED_MEMORY,
  /** Threads that exchange their tensors as GPUs do. */
  NCCL;

  /** Limits short enough for tests. */
  public static final SocketConfig.Limits QUICK =
      new SocketConfig.Limits(
          Duration.ofSeconds(30), Duration.ofSeconds(5), Duration.ofSeconds(30));

  private static final Duration USUAL = Duration.ofSeconds(60);

  /** The results of all ranks, in their order; the first failure is thrown. */
  public <T> List<T> run(int size, Body<T> body) throws Exception {
    InProcessRanks inProcess = new InProcessRanks(size, Duration.ofSeconds(30));
    int port = freePort();
    if (this != NCCL) {
      return run(
          size,
          USUAL,
          body,
          rank ->
              this == IN_PROCESS
                  ? new World(inProcess.transport(rank))
                  : socketWorld(port, rank, size));
    }
    NcclSimulation gpus = new NcclSimulation(true);
    List<T> results = run(size, USUAL, body, rank -> gpus.world(inProcess.transport(rank)));
    gpus.check();
    return results;
  }

  /** The same by {@link #IN_PROCESS}, for what takes longer: up to {@code limit}. */
  public static <T> List<T> run(int size, Duration limit, Body<T> body) throws Exception {
    InProcessRanks ranks = new InProcessRanks(size, limit);
    return run(size, limit, body, rank -> new World(ranks.transport(rank)));
  }

  private static <T> List<T> run(int size, Duration limit, Body<T> body, IntFunction<World> worlds)
      throws Exception {
    return together(
        size,
        limit,
        rank -> {
          Torch.prepareThread(1);
          try (World world = worlds.apply(rank)) {
            try {
              return body.run(world);
            } catch (Exception | AssertionError e) {
              world.transport().fail(e);
              throw e;
            }
          }
        });
  }

  /** Ranks that are joined by sockets as processes are; {@link #leave} closes them. */
  public static List<World> joined(int size) throws Exception {
    int port = freePort();
    return together(size, rank -> SOCKET.socketWorld(port, rank, size));
  }

  /** Closes all of {@code worlds}, each of which waits for the others. */
  public static void leave(List<World> worlds) throws Exception {
    var unused =
        together(
            worlds.size(),
            rank -> {
              worlds.get(rank).close();
              return rank;
            });
  }

  /** Runs {@code body} for every rank on a thread of its own. */
  public static <T> List<T> together(int size, RankBody<T> body) throws Exception {
    return together(size, USUAL, body);
  }

  private static <T> List<T> together(int size, Duration limit, RankBody<T> body) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(size);
    try {
      List<Future<T>> running = new ArrayList<>();
      for (int rank = 0; rank < size; rank++) {
        int own = rank;
        Callable<T> call = () -> body.run(own);
        running.add(threads.submit(call));
      }
      return results(running, limit);
    } finally {
      threads.shutdownNow();
    }
  }

  private static <T> List<T> results(List<Future<T>> running, Duration limit) throws Exception {
    List<T> results = new ArrayList<>();
    Exception first = null;
    for (Future<T> one : running) {
      try {
        results.add(one.get(limit.toSeconds(), TimeUnit.SECONDS));
      } catch (ExecutionException | TimeoutException e) {
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    if (first != null) {
      throw first;
    }
    return results;
  }

  /** The configuration of one rank on this machine. */
  public static SocketConfig config(int rank, int size, int port, SocketConfig.Limits limits) {
    SocketConfig.Master master = new SocketConfig.Master("localhost", port, 1, "test");
    return new SocketConfig(rank, size, rank, master, limits, true);
  }

  /** A port on which nothing listens now, not one of those that outgoing connections take. */
  public static int freePort() throws IOException {
    for (int attempt = 0; ; attempt++) {
      int port = ThreadLocalRandom.current().nextInt(15_000, 30_000);
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (BindException e) {
        if (attempt == 100) {
          throw e;
        }
      }
    }
  }

  /** The group of all ranks. */
  public static Communicator all(World world) {
    return world.group(Channel.WORLD, IntStream.range(0, world.size()).boxed().toList());
  }

  /** Counts up from {@code first}. */
  public static NDArray numbers(NDManager owner, float first, int... shape) {
    int size = IntStream.of(shape).reduce(1, (a, b) -> a * b);
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = first + i;
    }
    try (NDManager scope = owner.newSubManager()) {
      long[] lengths = IntStream.of(shape).asLongStream().toArray();
      return Torch.copy(owner, scope.create(values, new Shape(lengths)));
    }
  }

  private World socketWorld(int port, int rank, int size) {
    SocketConfig config = config(rank, size, port, QUICK);
    return SocketWorld.join(
        new SocketConfig(
            rank, size, rank, config.master(), QUICK, this != SOCKET_WITHOUT_SHARED_MEMORY));
  }

  /** What a rank does in its world. */
  public interface Body<T> {
    T run(World world) throws Exception;
  }

  /** What a rank does that joins by itself. */
  public interface RankBody<T> {
    T run(int rank) throws Exception;
  }
}
