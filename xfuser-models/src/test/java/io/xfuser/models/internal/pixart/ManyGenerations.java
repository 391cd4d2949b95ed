package io.xfuser.models.internal.pixart;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.RankException;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.torchscript.ElementType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A program that generates pictures and prints its resident set, in KiB, after the first few and
 * after all. Arguments: the model, how many few and how many all are, and whether ({@code
 * disturbed}) each picture comes after a request that is cancelled half-way and one that fails in a
 * step.
 */
final class ManyGenerations {
  private static final AtomicBoolean FAILS = new AtomicBoolean();

  private ManyGenerations() {}

  public static void main(String[] args) throws IOException {
    Path model = Path.of(args[0]);
    int few = Integer.parseInt(args[1]);
    int pictures = Integer.parseInt(args[2]);
    boolean disturbed = args[3].equals("disturbed");
    ParallelConfig hybrid = ParallelConfig.builder().pipefusionDegree(2).ulyssesDegree(2).build();
    ParallelConfig others = ParallelConfig.builder().cfgDegree(2).ringDegree(2).build();
    try (DiffusionPipeline whole =
            DiffusionPipeline.fromPretrained(ModelConfig.builder(model).build());
        DiffusionPipeline pipeline =
            DiffusionPipeline.of(
                new WatchedSteps<>(whole.model(), ManyGenerations::step), ElementType.FLOAT32);
        XDiTParallel first = ranks(pipeline, model, hybrid);
        XDiTParallel second = ranks(pipeline, model, others)) {
      List<XDiTParallel> both = List.of(first, second);
      int done = 0;
      for (int i = 1; done < pictures; i++) {
        FAILS.set(disturbed && i % 3 == 2);
        boolean cancels = disturbed && i % 3 == 1;
        try {
          both.get(i % 2)
              .generate(
                  request(i), progress -> !cancels || !(progress instanceof Progress.Denoising))
              .close();
          done++;
          if (done == few || done == pictures) {
            System.out.println(done + " " + residentKilobytes());
          }
        } catch (CancelledException | RankException e) {
          // as asked
        }
      }
    }
  }

  private static void step() {
    if (FAILS.get()) {
      throw new UnsupportedOperationException();
    }
  }

  private static InputConfig request(int i) {
    return InputConfig.builder("picture " + i)
        .size(i % 4 < 2 ? 64 : 96, 64)
        .useResolutionBinning(false)
        .numInferenceSteps(2)
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
