package io.xfuser.internal.parallel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.RankException;
import io.xfuser.internal.parallel.socket.SocketWorld;
import io.xfuser.parallel.SocketConfig;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** One rank of {@link SocketProcessTest}, as a process of its own. */
public final class RankMain {
  private static final long TOLD_NANOS = 1_000_000_000; // an activity is told after 0.1 s

  private RankMain() {}

  /** Arguments: what to do, seconds of silence that count as a failure. */
  public static void main(String[] arguments) throws InterruptedException {
    Torch.prepareThread(1);
    SocketConfig environment = SocketConfig.fromEnvironment(System.getenv());
    Duration silence = Duration.ofSeconds(Integer.parseInt(arguments[1]));
    SocketConfig config =
        new SocketConfig(
            environment.rank(),
            environment.size(),
            environment.localRank(),
            environment.master(),
            new SocketConfig.Limits(Duration.ofSeconds(60), silence, Duration.ofSeconds(120)),
            environment.sharedMemory());
    try (World world = SocketWorld.join(config)) {
      say("JOINED " + threads(world));
      try {
        switch (arguments[0]) {
          case "loop" -> loop(world);
          case "busy" -> {
            busy(world);
            say("TOGETHER");
            fail(world);
            loop(world);
          }
          default -> throw new IllegalArgumentException(arguments[0]);
        }
        say("DONE");
      } catch (RankException | CommunicationException e) {
        say("ENDED " + e.getMessage());
        world.transport().fail(e);
        say("THEN " + next(world));
      }
    }
    say("CLOSED");
  }

  /** Rotates and gathers large tensors for ever; tells when others know for sure in which step. */
  private static void loop(World world) {
    long last = 0; // when the last step was told
    boolean told = false;
    Communicator ring = all(world, Channel.RING);
    Communicator ulysses = all(world, Channel.ULYSSES);
    try (NDManager manager = Torch.newManager()) {
      NDArray x = Torch.empty(manager, ElementType.BFLOAT16, 8 << 20); // 16 MiB
      for (int step = 1; ; step++) {
        world.transport().activity("in warm-up step " + Math.min(step, 4) + " of 4");
        if (step == 4) {
          last = System.nanoTime();
        }
        try (NDManager scope = manager.newSubManager()) {
          Pending arriving = ring.rotate(List.of(x));
          ulysses.allGather(scope, x, 0);
          arriving.await(scope);
        }
        if (step > 4 && !told && System.nanoTime() - last > TOLD_NANOS) {
          say("LOOPING");
          told = true;
        }
      }
    }
  }

  /** Rank 1 sends nothing for longer than silence may last, while the others wait for it. */
  private static void busy(World world) throws InterruptedException {
    if (world.rank() == 1) {
      Thread.sleep(4000); // as if it computed
    }
    all(world, Channel.WORLD).barrier();
  }

  /** A request that rank 1 fails, and the beginning of the next one. */
  private static void fail(World world) {
    world.transport().activity("decoding");
    all(world, Channel.WORLD).barrier();
    if (world.rank() == 1) {
      world.transport().fail(new IllegalStateException("no memory left"));
    } else {
      try {
        all(world, Channel.VAE).barrier();
      } catch (RankException e) {
        say("FAILED " + e.getMessage());
        world.transport().fail(e);
      }
    }
    say("NEXT " + next(world));
  }

  private static Communicator all(World world, Channel channel) {
    return world.group(channel, IntStream.range(0, world.size()).boxed().toList());
  }

  private static String threads(World world) {
    Map<Thread, StackTraceElement[]> all = Thread.getAllStackTraces();
    return all.keySet().stream()
            .filter(thread -> thread.getName().startsWith("xfuser-rank" + world.rank()))
            .allMatch(Thread::isDaemon)
        ? "all daemons"
        : "not all daemons";
  }

  /** What becomes of the next request. */
  private static String next(World world) {
    try {
      world.transport().begin();
      return "works";
    } catch (ClosedException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private static void say(String line) {
    System.out.println(line);
    System.out.flush();
  }
}
