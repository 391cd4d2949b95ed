package io.xfuser.serving;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What a pause costs on this machine: the time between two steps of a request that is paused after
 * each and resumed at once on the same ranks, beside what a step takes. Nothing is copied, so it is
 * the same for every size. {@code scripts/sim/pause_cost MODEL [SIZE [STEPS [RANKS]]]}.
 */
public final class PauseCost {
  private PauseCost() {}

  /** Measures; the arguments are a model's folder, height and width, steps, and ranks. */
  public static void main(String... args) throws Exception {
    int size = args.length > 1 ? Integer.parseInt(args[1]) : 256;
    int steps = args.length > 2 ? Integer.parseInt(args[2]) : 20;
    int count = args.length > 3 ? Integer.parseInt(args[3]) : 2;
    EngineConfig engine =
        EngineConfig.builder(Path.of(args[0]))
            .parallel(ParallelConfig.builder().ulyssesDegree(count).build())
            .build();
    InputConfig input =
        InputConfig.builder("a fox").size(size, size).numInferenceSteps(steps).seed(1).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine)) {
      ranks.generate(input).close(); // all is loaded
      List<Double> stepSeconds = Collections.synchronizedList(new ArrayList<>());
      List<Double> pauses = pauses(ranks, input, stepSeconds);
      Collections.sort(pauses);
      Collections.sort(stepSeconds);
      double step = stepSeconds.get(stepSeconds.size() / 2);
      double pause = pauses.get(pauses.size() / 2);
      System.out.printf(
          "%d ranks, %d × %d: a step takes %.1f ms, a pause %.3f ms (median of %d, least"
              + " %.3f ms), which is %.3f %% of a step%n",
          count,
          size,
          size,
          step * 1e3,
          pause * 1e3,
          pauses.size(),
          pauses.get(0) * 1e3,
          100 * pause / step);
    }
  }

  /** Seconds from the moment in which a step is over to that in which ranks are given the next. */
  private static List<Double> pauses(
      XDiTParallel ranks, InputConfig input, List<Double> stepSeconds) throws Exception {
    List<Double> pauses = new ArrayList<>();
    long[] over = {0};
    GenerationTask task =
        ranks.submit(
            input,
            progress -> {
              if (progress instanceof Progress.Denoising step && step.done() > 0) {
                over[0] = System.nanoTime();
                stepSeconds.add(step.seconds());
              }
              return true;
            });
    int steps = ranks.check(input).calls();
    for (int step = 1; step < steps; step++) {
      if (task.pauseAfter(step).get().isEmpty()) {
        break;
      }
      task.resume();
      while (task.state() == GenerationTask.State.WAITING) {
        Thread.onSpinWait();
      }
      pauses.add((System.nanoTime() - over[0]) / 1e9);
    }
    task.await().close();
    return pauses;
  }
}
