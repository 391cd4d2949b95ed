package io.xfuser.cli.launch;

import io.xfuser.failure.ArgumentException;
import java.lang.management.ManagementFactory;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The command line and the environment of the JVM that is one rank. */
final class RankCommand {
  private static final String THREADS = "OMP_NUM_THREADS";

  private RankCommand() {}

  /** Options of this JVM by which another starts as soon; a later one of them counts. */
  private static final Pattern QUICK =
      Pattern.compile("-XX:(SharedArchiveFile|TieredStopAtLevel)=.*|-Xlog:cds.*");

  /**
   * The rank's JVM: this JVM's {@code java} and class path, its options for a quick start, and the
   * options in the environment's JAVA_OPTS and XFUSER_JAVA_OPTS. It inherits the environment; the
   * variables that torchrun sets are set for it, and those by which it knows its launcher and the
   * other ranks.
   */
  static ProcessBuilder of(LaunchPlan plan, Credentials credentials, int localRank) {
    ProcessBuilder builder = new ProcessBuilder();
    Map<String, String> environment = builder.environment();

    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED"); // JDK 24 and later warn without it
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(QUICK.asMatchPredicate())
        .forEach(command::add);
    command.addAll(words(environment.getOrDefault("JAVA_OPTS", "")));
    command.addAll(words(environment.getOrDefault("XFUSER_JAVA_OPTS", "")));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(RankMain.class.getName(), plan.mainClass()));
    command.addAll(plan.arguments());
    command.forEach(RankCommand::requireLetters);
    builder.command(command);

    LaunchTopology placement = plan.placement();
    environment.put("RANK", Integer.toString(placement.rank(localRank)));
    environment.put("WORLD_SIZE", Integer.toString(placement.worldSize()));
    environment.put("LOCAL_RANK", Integer.toString(localRank));
    environment.put("LOCAL_WORLD_SIZE", Integer.toString(placement.ranksPerNode()));
    environment.put("MASTER_ADDR", placement.masterAddress());
    environment.put("MASTER_PORT", Integer.toString(placement.masterPort()));
    if (environment.getOrDefault(THREADS, "").isBlank()) {
      environment.put(THREADS, Integer.toString(threads(placement.ranksPerNode())));
    }
    environment.put(LauncherWatch.VARIABLE, Long.toString(ProcessHandle.current().pid()));
    credentials.give(environment);
    return builder;
  }

  /** Java writes a '?' for each letter that the encoding lacks in which it passes arguments on. */
  private static void requireLetters(String argument) {
    for (String name :
        List.of(System.getProperty("sun.jnu.encoding"), Charset.defaultCharset().name())) {
      if (!Charset.forName(name).newEncoder().canEncode(argument)) {
        throw new ArgumentException(
            "ranks cannot be given '%s' in the encoding %s; set a locale with UTF-8, for example by"
                    .formatted(argument, name)
                + " LC_ALL=C.UTF-8 in the environment");
      }
    }
  }

  /** This host's cores divided among its ranks. */
  private static int threads(int ranks) {
    return Math.max(1, Runtime.getRuntime().availableProcessors() / ranks);
  }

  private static List<String> words(String text) {
    return Stream.of(text.strip().split("\\s+")).filter(word -> !word.isEmpty()).toList();
  }
}
