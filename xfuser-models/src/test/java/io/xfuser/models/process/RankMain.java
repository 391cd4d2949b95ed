package io.xfuser.models.process;

import static java.util.Objects.requireNonNull;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.RankException;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.socket.SocketWorld;
import io.xfuser.parallel.SocketConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.XDiTParallel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One rank as a process of its own. Every line of its standard input has a number, which the rank
 * says when it is done, and words, with tabs between them: {@code JOIN size port sharedMemory
 * silence announced}, with the seconds of silence that count as a failure and the activity to
 * announce, takes it from its world into another; {@code CANCEL rank activity} before a request has
 * that rank cancel it when it begins that; all others are xDiT's flags, a request. A failure is
 * caught, told on the standard error, and survived: the same JVM generates once more, on its own.
 */
public final class RankMain {
  private final int rank = Integer.parseInt(requireNonNull(System.getenv("RANK")));
  private final OpenPipelines pipelines = new OpenPipelines();
  private @Nullable AnnouncingTransport transport;
  private @Nullable World world;

  private RankMain() {}

  /** Exits with 1 if a request failed. */
  public static void main(String[] arguments) throws IOException {
    boolean served = new RankMain().serve();
    say("CLOSED");
    System.exit(served ? 0 : 1);
  }

  /** Serves until there are no more requests; whether none failed. */
  private boolean serve() throws IOException {
    boolean served = true;
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (pipelines) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] numbered = line.split("\t", 2);
        String[] words = numbered[1].split("\t", -1);
        if (words[0].equals("JOIN")) {
          join(words);
        } else if (words[0].equals("CANCEL")) {
          say("CANCELLED " + numbered[0] + " " + cancel(words));
        } else if (!generate(numbered[0], WrittenRequest.parse(List.of(words)))) {
          served = false;
          continue;
        }
        say("DONE " + numbered[0]);
      }
    } finally {
      leave();
    }
    return served;
  }

  private void join(String[] words) {
    leave();
    int size = Integer.parseInt(words[1]);
    SocketConfig.Limits standard = SocketConfig.Limits.standard();
    Duration silence = Duration.ofSeconds(Integer.parseInt(words[4]));
    SocketConfig.Limits limits =
        new SocketConfig.Limits(standard.rendezvous(), silence, standard.message());
    SocketConfig config = TestRanks.config(rank, size, Integer.parseInt(words[2]), limits);
    boolean sharedMemory = Boolean.parseBoolean(words[3]);
    World joined =
        SocketWorld.join(new SocketConfig(rank, size, rank, config.master(), limits, sharedMemory));
    transport = new AnnouncingTransport(joined.transport(), words[5]);
    world = new World(transport);
  }

  private void leave() {
    if (world != null) {
      world.close();
    }
  }

  private boolean generate(String number, WrittenRequest args) throws IOException {
    EngineConfig engine = args.engine();
    DiffusionPipeline pipeline = pipelines.of(engine);
    try (XDiTParallel parallel = new XDiTParallel(pipeline, engine, requireNonNull(world));
        Generation generation = parallel.generate(pixels(args))) {
      generation.save(args.output().resolve("rank" + rank));
      return true;
    } catch (RankException | CommunicationException e) {
      System.err.println("FAILED " + number + " " + e.getMessage());
      alone(number, pipeline, args);
      return false;
    }
  }

  /** What ends the request. */
  private String cancel(String[] words) {
    WrittenRequest args = WrittenRequest.parse(List.of(words).subList(3, words.length));
    AnnouncingTransport messages = requireNonNull(transport);
    try (XDiTParallel parallel =
        new XDiTParallel(pipelines.of(args.engine()), args.engine(), requireNonNull(world))) {
      CompletableFuture<GenerationTask> task = new CompletableFuture<>();
      if (rank == Integer.parseInt(words[1])) {
        messages.when(
            words[2],
            () -> {
              task.join().cancel();
              awaitCancelled(messages);
            });
      }
      task.complete(parallel.submit(pixels(args)));
      task.join().await().close();
      return "the end";
    } catch (CancelledException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private static void awaitCancelled(AnnouncingTransport messages) {
    try {
      while (true) {
        messages.check();
        LockSupport.parkNanos(200_000);
      }
    } catch (CancelledException e) {
      // what this rank goes on with throws it too
    }
  }

  private static void alone(String number, DiffusionPipeline pipeline, WrittenRequest args) {
    EngineConfig serial = EngineConfig.of(Path.of("."));
    try (XDiTParallel parallel = XDiTParallel.inProcess(pipeline, serial);
        Generation generation = parallel.generate(pixels(args))) {
      say("GOES ON " + number + " with " + generation.tensor().getShape());
    }
  }

  /** What {@code args} ask for, as tensors of pixels. */
  static InputConfig pixels(WrittenRequest args) {
    return args.input().toBuilder().outputType(OutputType.PT).build();
  }

  private static void say(String line) {
    System.out.println(line);
    System.out.flush();
  }
}
