package io.xfuser.cli.runner;

import io.xfuser.cli.flags.XFuserArgs;
import io.xfuser.cli.launch.LaunchPlan;
import io.xfuser.cli.launch.LaunchTopology;
import io.xfuser.cli.launch.Launcher;
import io.xfuser.cli.launch.LauncherWatch;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.hub.Hub;
import io.xfuser.hub.HubSettings;
import io.xfuser.model.GivenTensors;
import io.xfuser.parallel.SocketConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.OutputFiles;
import io.xfuser.pipeline.Worlds;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import io.xfuser.torchscript.Libtorch;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes the pictures that a command line asks for, on as many ranks as its degrees multiply to:
 * threads of this JVM; with {@code --launcher process} a JVM each; and where the environment says
 * that this process is one of several ranks, as that rank. With {@code compare} before the flags,
 * they are drawn on one rank too, and compared. {@code inspect FILE_OR_DIR} draws nothing, but says
 * what that is. {@code serve} answers requests over HTTP.
 */
public final class Runner {
  private final Class<?> main;
  private final @Nullable String model;
  private final Map<String, String> environment;
  private final PrintStream out;
  private final PrintStream err;

  /**
   * For any model.
   *
   * @param main the main class that calls this; it is started again for each rank that gets a JVM
   */
  public Runner(Class<?> main) {
    this(main, null, System.getenv(), System.out, System.err);
  }

  /**
   * For one kind of model.
   *
   * @param main the main class that calls this; it is started again for each rank that gets a JVM
   * @param model the short name that the pipeline must have, {@code pixart_sigma} for example
   */
  public Runner(Class<?> main, String model) {
    this(main, model, System.getenv(), System.out, System.err);
  }

  Runner(
      Class<?> main,
      @Nullable String model,
      Map<String, String> environment,
      PrintStream out,
      PrintStream err) {
    this.main = main;
    this.model = model;
    this.environment = environment;
    this.out = out;
    this.err = err;
  }

  /**
   * Runs to the end; what goes wrong is one sentence on standard error, with {@code -v} followed by
   * where.
   *
   * @return the exit status: 0; 2 for bad input, of which nothing is half-written; 1 for another
   *     failure; the status of the rank that failed first if each has a JVM
   */
  public int run(String... argv) {
    Failures failures = new Failures(main.getSimpleName(), List.of(argv), err);
    if (argv.length > 0 && argv[0].equals(Inspect.COMMAND)) {
      return failures.statusOf(
          () -> {
            Inspect.run(out, List.of(argv).subList(1, argv.length));
            return 0;
          });
    }
    if (argv.length > 0 && argv[0].equals(Serve.COMMAND)) {
      List<String> given = List.of(argv).subList(1, argv.length);
      return failures.statusOf(() -> new Serve(main, environment, out, err).run(given));
    }
    String[] flags = compares(argv) ? Arrays.copyOfRange(argv, 1, argv.length) : argv;
    return failures.statusOf(() -> run(XFuserArgs.parse(flags), List.of(argv)));
  }

  private static boolean compares(String... argv) {
    return argv.length > 0 && argv[0].equals(Comparison.COMMAND);
  }

  private int run(XFuserArgs args, List<String> argv) throws IOException, InterruptedException {
    if (args.helpRequested()) {
      out.print(args.usage());
      return 0;
    }
    if (args.versionRequested()) {
      out.println(version());
      return 0;
    }
    EngineConfig engine = engine(args);
    Outputs outputs = new Outputs(args, out, err);
    boolean compares = compares(argv.toArray(String[]::new));
    if (compares) {
      Comparison.check(args, engine, isOneOfSeveral());
    }
    if (isOneOfSeveral()) {
      LauncherWatch.start(environment);
      SocketConfig.fromEnvironment(environment).requireSecret(); // before anything is loaded
    }
    if (engine.runtime().needsGpu()) {
      Worlds.device(engine, 0); // refused before anything is downloaded
    }
    Path directory = DiffusionPipeline.locate(engine.model(), this::hub); // before ranks start
    if (args.launcher().equals("process") && !isOneOfSeveral()) {
      LaunchTopology placement = LaunchTopology.local(engine.parallel().worldSize());
      return new Launcher(out, err).run(new LaunchPlan(main.getName(), argv, placement));
    }
    try (DiffusionPipeline pipe =
        DiffusionPipeline.fromPretrained(engine.model().in(directory), engine.runtime())) {
      checkModel(engine, pipe.name());
      args.requireVideoFiles(pipe.model().settings().contains(InputConfig.NUM_FRAMES));
      if (compares) {
        Comparison comparison = new Comparison(pipe, engine, outputs, out);
        comparison.write(
            withProgress(
                listener -> comparison.draw(args.inputConfig(), outputs.previewed(listener))));
      } else if (isOneOfSeveral()) {
        joinAndGenerate(args, engine, pipe, outputs);
      } else {
        try (XDiTParallel parallel = XDiTParallel.inProcess(pipe, engine)) {
          generate(parallel, args, outputs.numbered(OutputFiles.prefix(pipe, engine)), true);
        }
      }
    }
    return 0;
  }

  private static String version() {
    String own = Runner.class.getPackage().getImplementationVersion();
    return "xfuser %s, libtorch %s, Java %s"
        .formatted(own == null ? "(not packaged)" : own, Libtorch.version(), Runtime.version());
  }

  private Hub hub() {
    return new Hub(
        HubSettings.fromEnvironment(environment),
        new DownloadLines(err, isTerminal(), System::nanoTime));
  }

  private boolean isTerminal() {
    return environment.containsKey("XFUSER_STDERR_IS_TERMINAL");
  }

  /** Started as torchrun starts a rank, or by Slurm with a place to meet. */
  private boolean isOneOfSeveral() {
    return environment.containsKey("RANK")
        || (environment.containsKey("SLURM_PROCID") && environment.containsKey("MASTER_ADDR"));
  }

  private void joinAndGenerate(
      XFuserArgs args, EngineConfig engine, DiffusionPipeline pipe, Outputs outputs)
      throws IOException {
    String prefix = OutputFiles.prefix(pipe, engine);
    SocketConfig place = SocketConfig.fromEnvironment(environment);
    try (XDiTParallel parallel = XDiTParallel.join(pipe, engine, place)) {
      generate(parallel, args, outputs.numbered(prefix), place.rank() == 0);
    }
  }

  private void generate(
      XDiTParallel parallel, XFuserArgs args, Outputs.Numbered outputs, boolean first)
      throws IOException {
    Generation generation =
        withProgress(
            listener ->
                draw(
                    parallel,
                    args.inputConfig(),
                    outputs.outputs().previewed(first ? listener : ProgressListener.NONE),
                    outputs.traced()));
    try (generation) {
      outputs.write(generation, first);
    }
  }

  /** Generates; {@code traced} says whether what ranks do is recorded. */
  static Generation draw(
      XDiTParallel parallel, InputConfig input, ProgressListener listener, boolean traced) {
    return traced
        ? parallel.trace(input, GivenTensors.NONE, listener)
        : parallel.generate(input, listener);
  }

  private <T> T withProgress(Drawing<T> drawing) {
    try (StepProgress progress = new StepProgress(err, isTerminal(), System::nanoTime)) {
      return drawing.draw(progress);
    }
  }

  @FunctionalInterface
  private interface Drawing<T> {
    T draw(ProgressListener listener);
  }

  private EngineConfig engine(XFuserArgs args) {
    String demo = environment.get("XFUSER_DEMO_MODEL");
    return demo == null ? args.engineConfig() : args.engineConfig(Path.of(demo));
  }

  private void checkModel(EngineConfig engine, String found) {
    if (model != null && !model.equals(found)) {
      throw new ArgumentException(
          engine.model().title()
              + " is a "
              + found
              + " model, but this example draws with "
              + model);
    }
  }
}
