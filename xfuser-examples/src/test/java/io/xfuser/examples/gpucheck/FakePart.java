package io.xfuser.examples.gpucheck;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** An experiment that finds something and then ends as it is told; and a course of one. */
final class FakePart {
  private FakePart() {}

  /** Takes how it ends; or {@code course} and a page. */
  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("course")) {
      run(Path.of(arguments[1]), List.of(ending(1, "hangs", 1, 600)), 1000);
      return;
    }
    Findings findings = Findings.told();
    System.out.println("{\"row\": cut off");
    findings.row("a|b", arguments[0], "number", 1.0 / 3);
    findings.decides("it %s after %s", arguments[0], 0.25);
    switch (arguments[0]) {
      case "hangs" -> Thread.sleep(600_000);
      case "throws" -> throw new IllegalStateException("no such luck");
      case "dies" -> kill(ProcessHandle.current().pid());
      case "refuses" -> System.exit(2);
      default -> {}
    }
  }

  private static void kill(long pid) throws IOException, InterruptedException {
    int unused = new ProcessBuilder("kill", "-9", Long.toString(pid)).start().waitFor();
  }

  /** An experiment that ends so. */
  static Experiment ending(int number, String end, int seconds, int limit) {
    List<String> command = List.of(FakePart.class.getName(), end);
    return new Experiment(number, end, "Does it?", seconds, limit, setup -> command);
  }

  /** Runs experiments in so many seconds. */
  static int run(Path page, List<Experiment> experiments, double seconds) throws IOException {
    Setup setup = new Setup(false, Path.of("..").toAbsolutePath(), "", List.of());
    Results results = new Results(page, "gpu-check of a test", List.of("beware"));
    return new Course(setup, results, System.err).run(experiments, seconds);
  }
}
