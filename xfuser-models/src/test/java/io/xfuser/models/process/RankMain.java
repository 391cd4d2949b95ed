package io.xfuser.models.process;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.RankException;
import io.xfuser.parallel.World;
import io.xfuser.parallel.socket.SocketConfig;
import io.xfuser.parallel.socket.SocketWorld;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * One rank as a process of its own. Every line of its standard input is a request: xDiT's flags,
 * with tabs between them. A failure is caught, told on the standard error, and survived: the same
 * JVM generates once more, on its own.
 */
public final class RankMain {
  private RankMain() {}

  /**
   * Arguments: seconds of silence that count as a failure, the activity to announce, with its
   * rank..
   */
  public static void main(String[] arguments) throws IOException {
    SocketConfig environment = SocketConfig.fromEnvironment(System.getenv());
    SocketConfig.Limits standard = SocketConfig.Limits.standard();
    SocketConfig config =
        new SocketConfig(
            environment.rank(),
            environment.size(),
            environment.localRank(),
            environment.master(),
            new SocketConfig.Limits(
                standard.rendezvous(),
                Duration.ofSeconds(Integer.parseInt(arguments[0])),
                standard.message()),
            environment.sharedMemory());
    boolean failed;
    try (World joined = SocketWorld.join(config);
        World world = new World(new AnnouncingTransport(joined.transport(), arguments[1]))) {
      say("JOINED");
      failed = !serve(world);
    }
    say("CLOSED");
    System.exit(failed ? 1 : 0);
  }

  /** Serves requests until there are no more, or one fails. */
  private static boolean serve(World world) throws IOException {
    BufferedReader requests =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    int served = 0;
    for (String line = requests.readLine(); line != null; line = requests.readLine()) {
      WrittenRequest args = WrittenRequest.parse(List.of(line.split("\t")));
      EngineConfig engine = args.engine();
      Path directory = args.output().resolve("rank" + world.rank());
      try (DiffusionPipeline pipeline =
          DiffusionPipeline.fromPretrained(engine.model(), engine.runtime())) {
        try (XDiTParallel parallel = new XDiTParallel(pipeline, engine, world);
            Generation generation = parallel.generate(pixels(args))) {
          generation.save(directory);
        } catch (RankException | CommunicationException e) {
          System.err.println("FAILED " + e.getMessage());
          alone(pipeline, args);
          return false;
        }
      }
      served++;
      say("DONE %03d".formatted(served));
    }
    return true;
  }

  private static void alone(DiffusionPipeline pipeline, WrittenRequest args) {
    EngineConfig serial = EngineConfig.of(Path.of("."));
    try (XDiTParallel parallel = XDiTParallel.inProcess(pipeline, serial);
        Generation generation = parallel.generate(pixels(args))) {
      say("GOES ON with " + generation.tensor().getShape());
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
