package io.xfuser.examples.gpucheck;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * One question that only a GPU answers, asked in a JVM of its own.
 *
 * @param number its place in the order: what is nearer to the start is worth more
 * @param name for {@code --parts}
 * @param question what it is about
 * @param seconds how long it takes on an H100, about
 * @param limit seconds after which it is ended
 * @param command the main class and its arguments
 */
record Experiment(
    int number,
    String name,
    String question,
    int seconds,
    int limit,
    Function<Setup, List<String>> command) {

  private static final String LAWS = "io.xfuser.models.contract.DeviceLaws";
  private static final String TESTS = "io.xfuser.models.contract.DeviceTests";

  /** All of them, in order. */
  static final List<Experiment> ALL =
      List.of(
          new Experiment(1, "machine", "Does the stack load?", 20, 90, part("machine")),
          new Experiment(
              2,
              "types",
              "Do programs stay on the GPU, and its kernels attend as the equation says?",
              40,
              180,
              setup -> List.of(TESTS, setup.device())),
          new Experiment(
              3,
              "laws",
              "Are pictures of 1 to 8 ranks that share a GPU alike?",
              90,
              300,
              Experiment::laws),
          new Experiment(
              4,
              "kernels",
              "Which kernel of attention is the fastest, and are their log-sum-exps right?",
              40,
              120,
              part("kernels")),
          new Experiment(
              5,
              "sizes",
              "How long does a step of a model of real size take?",
              120,
              400,
              part("sizes")),
          new Experiment(6, "fusing", "What is fusing worth?", 45, 150, part("fusing")),
          new Experiment(
              7, "fused", "Are own kernels right, and what do they save?", 60, 200, part("fused")),
          new Experiment(
              8,
              "compile",
              "How long does diffusers take for the same, by torch.compile?",
              120,
              400,
              part("compile")),
          new Experiment(
              9,
              "events",
              "Do GPU and host keep step, and does a request after a cancelled one work?",
              20,
              90,
              part("events")),
          new Experiment(
              10, "stack", "How much stack do ranks' threads need?", 20, 120, part("stack")),
          new Experiment(
              11, "nccl", "Does NCCL connect two JVMs that share one GPU?", 60, 150, part("nccl")),
          new Experiment(
              12,
              "processes",
              "Do as many JVMs as GPUs draw what one draws?",
              60,
              400,
              part("processes")));

  private static Function<Setup, List<String>> part(String name) {
    return setup ->
        List.of(
            GpuCheck.class.getName(),
            name,
            "--device",
            setup.device(),
            "--root",
            setup.root().toString());
  }

  private static List<String> laws(Setup setup) {
    List<String> command = new ArrayList<>(List.of(LAWS, setup.shared()));
    command.addAll(setup.pipelines());
    return command;
  }
}
