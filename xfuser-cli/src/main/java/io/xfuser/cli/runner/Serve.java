package io.xfuser.cli.runner;

import io.xfuser.cli.flags.XFuserArgs;
import io.xfuser.cli.launch.Laps;
import io.xfuser.cli.launch.LaunchPlan;
import io.xfuser.cli.launch.LaunchTopology;
import io.xfuser.cli.launch.LauncherWatch;
import io.xfuser.cli.launch.RankService;
import io.xfuser.cli.launch.RankWorld;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.hub.Hub;
import io.xfuser.parallel.SocketConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.server.Backend;
import io.xfuser.server.ImageServer;
import io.xfuser.server.ServerSettings;
import io.xfuser.serving.Choice;
import io.xfuser.serving.Policy;
import io.xfuser.serving.ScheduledBackend;
import io.xfuser.serving.StepTimes;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * {@code serve}: opens models, and answers requests over HTTP until this process is told to end.
 */
final class Serve {
  /** The word before the flags. */
  static final String COMMAND = "serve";

  /** A name has no separators, which places have. */
  private static final Pattern NAMED = Pattern.compile("(?s)([\\w.-]+)=(.+)");

  private final Class<?> main;
  private final Map<String, String> environment;
  private final PrintStream out;
  private final PrintStream err;

  Serve(Class<?> main, Map<String, String> environment, PrintStream out, PrintStream err) {
    this.main = main;
    this.environment = environment;
    this.out = out;
    this.err = err;
  }

  /** The models of a command line, by name, and its other arguments. */
  record Asked(Map<String, String> models, List<String> others) {
    /**
     * Takes each {@code --model [NAME=]PLACE} out of {@code argv}; a place without name has its
     * last part.
     */
    static Asked of(List<String> argv) {
      Map<String, String> models = new LinkedHashMap<>();
      List<String> others = new ArrayList<>();
      for (int i = 0; i < argv.size(); i++) {
        String arg = argv.get(i);
        if (arg.equals("--model") && i + 1 < argv.size()) {
          add(models, argv.get(++i));
        } else if (arg.startsWith("--model=")) {
          add(models, arg.substring("--model=".length()));
        } else {
          others.add(arg);
        }
      }
      return new Asked(models, others);
    }

    private static void add(Map<String, String> models, String given) {
      Matcher named = NAMED.matcher(given);
      String place = named.matches() ? named.group(2) : given;
      String name =
          named.matches()
              ? named.group(1)
              : place
                  .replaceFirst("[/\\\\]+$", "")
                  .replaceFirst(".*[/\\\\]", "")
                  .replaceFirst("@.*", "");
      if (models.put(name, place) != null) {
        throw new ArgumentException(
            "two models are named %s; --model NAME=%s names one otherwise".formatted(name, place));
      }
    }
  }

  /** Serves; ends with the process. */
  int run(List<String> argv) throws IOException, InterruptedException {
    Asked asked = Asked.of(argv);
    XFuserArgs common = XFuserArgs.serving(asked.others().toArray(String[]::new));
    if (common.helpRequested()) {
      out.print(common.usage());
      return 0;
    }
    if (environment.containsKey(RankWorld.OF_A_SERVER)) {
      return rank(arguments(asked, asked.models().values().iterator().next()));
    }
    requireAlone();
    if (asked.models().isEmpty()) {
      asked.models().put("demo", demo());
    }
    ServerSettings settings = new ServerSettings(common.serverSettings());
    ImageServer.check(settings); // before anything is loaded
    Map<String, Backend> opened = new LinkedHashMap<>();
    List<DiffusionPipeline> pipelines = new ArrayList<>();
    try {
      for (Map.Entry<String, String> model : asked.models().entrySet()) {
        XFuserArgs args = XFuserArgs.serving(arguments(asked, model.getValue()));
        err.println("opening " + model.getKey() + " ...");
        opened.put(model.getKey(), open(args, arguments(asked, model.getValue()), pipelines));
      }
      ImageServer.Builder builder = ImageServer.builder().setAll(common.serverSettings());
      opened.forEach(builder::model);
      ImageServer server = builder.start();
      out.println(
          "serving %s at http://%s:%d"
              .formatted(
                  String.join(", ", opened.keySet()),
                  settings.get(ServerSettings.HOST),
                  server.port()));
      awaitEnd(server, pipelines);
    } catch (RuntimeException | IOException e) {
      opened.values().forEach(Backend::close);
      pipelines.forEach(DiffusionPipeline::close);
      throw e;
    }
    return 0;
  }

  /** Ranks of several machines would need each request over the network. */
  private void requireAlone() {
    if (environment.containsKey("RANK")) {
      throw new ArgumentException(
          COMMAND
              + " starts its ranks itself, all on this machine, but RANK says that it is one of"
              + " several: start it once, without xfrun or torchrun");
    }
  }

  private static String[] arguments(Asked asked, String place) {
    boolean offers = asked.others().stream().anyMatch(x -> x.matches("--offer[_-]lora(=.*)?"));
    return Stream.of(
            asked.others().stream(),
            Stream.of("--model", place),
            offers && !asked.others().contains("--dynamic_lora")
                ? Stream.of("--dynamic_lora")
                : Stream.<String>empty())
        .flatMap(x -> x)
        .toArray(String[]::new);
  }

  private String demo() {
    String demo = environment.get("XFUSER_DEMO_MODEL");
    if (demo == null) {
      throw new ArgumentException("there is no model: give --model");
    }
    return demo;
  }

  private Backend open(XFuserArgs args, String[] argv, List<DiffusionPipeline> pipelines)
      throws IOException {
    EngineConfig engine = args.engineConfig();
    ServerSettings settings = new ServerSettings(args.serverSettings());
    String policy = settings.get(ServerSettings.SCHEDULER);
    if (policy != null) {
      requireSchedulable(args, engine.parallel());
    }
    try (StepProgress progress = new StepProgress(err, false, System::nanoTime)) {
      Path directory = DiffusionPipeline.locate(engine.model(), () -> Hub.of(environment));
      DiffusionPipeline pipeline =
          DiffusionPipeline.fromPretrained(
              engine.model().in(directory), engine.runtime(), progress);
      pipelines.add(pipeline);
      if (policy != null) {
        int count = engine.parallel().worldSize();
        Choice choice = new Choice(Policy.of(policy), count, Integer.highestOneBit(count));
        Path file = settings.get(ServerSettings.STEP_TIMES);
        StepTimes times = file == null ? new StepTimes() : StepTimes.at(file);
        return new ScheduledBackend(pipeline, engine, choice, times);
      }
      XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
      if (args.launcher().equals("process")) {
        List<String> command = new ArrayList<>(List.of(COMMAND));
        command.addAll(List.of(argv));
        LaunchTopology placement = LaunchTopology.local(engine.parallel().worldSize());
        return RankWorld.start(ranks, new LaunchPlan(main.getName(), command, placement), err);
      }
      ranks.load(progress);
      return Backend.inOrder(ranks);
    }
  }

  /** A scheduler gives each request ranks of a sequence, as many as it has use for. */
  private static void requireSchedulable(XFuserArgs args, ParallelConfig parallel) {
    if (args.launcher().equals("process")) {
      throw new ArgumentException(
          ServerSettings.SCHEDULER + " needs ranks that are threads, not processes");
    }
    int ranks = parallel.ulyssesDegree();
    if (!parallel.equals(ParallelConfig.serial().toBuilder().ulyssesDegree(ranks).build())) {
      throw new ArgumentException(
          "%s chooses how many ranks draw a picture together: %s alone says how many there are"
              .formatted(ServerSettings.SCHEDULER, ParallelConfig.ULYSSES_DEGREE));
    }
  }

  /** Waits until the process is told to end: then running requests may end in order. */
  private static void awaitEnd(ImageServer server, List<DiffusionPipeline> pipelines)
      throws InterruptedException {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  server.close();
                  pipelines.forEach(DiffusionPipeline::close);
                },
                "xfuser-server-end"));
    new CountDownLatch(1).await();
  }

  /** Is one rank of a world whose requests come on standard input. */
  private int rank(String... argv) throws IOException {
    Laps laps = new Laps();
    EngineConfig engine = XFuserArgs.serving(argv).engineConfig();
    LauncherWatch.start(environment);
    Path directory = DiffusionPipeline.locate(engine.model(), () -> Hub.of(environment));
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.fromPretrained(engine.model().in(directory), engine.runtime())) {
      laps.end("opening");
      SocketConfig place = SocketConfig.fromEnvironment(environment);
      try (XDiTParallel ranks = XDiTParallel.join(pipeline, engine, place)) {
        laps.end("meeting the others");
        ranks.load();
        laps.end("loading");
        new RankService(ranks, place.rank() == 0, out).run(laps, System.in);
      }
    }
    return 0;
  }
}
