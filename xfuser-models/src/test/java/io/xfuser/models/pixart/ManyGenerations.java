package io.xfuser.models.pixart;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.StepListener;
import io.xfuser.pipeline.XDiTParallel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A program that generates pictures and prints its resident set, in KiB, after the 20th and the
 * last. Arguments: the model, how many pictures, and whether ({@code disturbed}) each of them comes
 * after a request that is cancelled half-way and one that fails by its listener.
 */
final class ManyGenerations {
  private static final StepListener CANCELS = (step, steps) -> step < 2;

  private static final StepListener FAILS =
      (step, steps) -> {
        throw new UnsupportedOperationException();
      };

  private ManyGenerations() {}

  public static void main(String[] args) throws IOException {
    Path model = Path.of(args[0]);
    int pictures = Integer.parseInt(args[1]);
    boolean disturbed = args[2].equals("disturbed");
    ParallelConfig hybrid = ParallelConfig.builder().pipefusionDegree(2).ulyssesDegree(2).build();
    ParallelConfig others = ParallelConfig.builder().cfgDegree(2).ringDegree(2).build();
    try (DiffusionPipeline pipeline =
            DiffusionPipeline.fromPretrained(ModelConfig.builder(model).build());
        XDiTParallel first = ranks(pipeline, model, hybrid);
        XDiTParallel second = ranks(pipeline, model, others)) {
      List<XDiTParallel> both = List.of(first, second);
      int done = 0;
      for (int i = 1; done < pictures; i++) {
        StepListener listener =
            !disturbed || i % 3 == 0 ? StepListener.NONE : i % 3 == 1 ? CANCELS : FAILS;
        try {
          both.get(i % 2).generate(request(i), listener).close();
          done++;
          if (done == 20 || done == pictures) {
            System.out.println(done + " " + residentKilobytes());
          }
        } catch (CancelledException | UnsupportedOperationException e) {
          // as asked
        }
      }
    }
  }

  private static InputConfig request(int i) {
    return InputConfig.builder("picture " + i)
        .size(i % 4 < 2 ? 64 : 96, 64)
        .useResolutionBinning(false)
        .numInferenceSteps(3)
        .seed(i)
        .build();
  }

  private static XDiTParallel ranks(
      DiffusionPipeline pipeline, Path model, ParallelConfig degrees) {
    return XDiTParallel.inProcess(pipeline, EngineConfig.builder(model).parallel(degrees).build());
  }

  private static long residentKilobytes() throws IOException {
    System.gc();
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .sum();
  }
}
