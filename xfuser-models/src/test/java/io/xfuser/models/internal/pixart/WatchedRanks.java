package io.xfuser.models.internal.pixart;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;

/** Ranks whose steps a test can watch, hold and let fail. */
abstract class WatchedRanks {
  static final Path MODEL = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");

  static final InputConfig FOX =
      InputConfig.builder("a red fox")
          .height(64)
          .width(64)
          .useResolutionBinning(false)
          .numInferenceSteps(2)
          .outputType(OutputType.PT)
          .seed(1)
          .build();

  static final InputConfig LONG = FOX.toBuilder().numInferenceSteps(400).build();

  private static DiffusionPipeline pipeline;
  private static DiffusionPipeline watched;
  static volatile Runnable eachStep = () -> {};

  @BeforeAll
  static void open() {
    pipeline = DiffusionPipeline.fromPretrained(ModelConfig.builder(MODEL).build());
    watched =
        DiffusionPipeline.of(
            new WatchedSteps<>(pipeline.model(), () -> eachStep.run()), ElementType.FLOAT32);
  }

  @AfterAll
  static void close() {
    watched.close();
    pipeline.close();
  }

  @AfterEach
  void end() {
    eachStep = () -> {};
  }

  /** One rank, or four: two stages of two Ulysses ranks. */
  static XDiTParallel ranks(int count) {
    ParallelConfig degrees = ParallelConfig.serial();
    if (count == 4) {
      degrees = degrees.toBuilder().ulyssesDegree(2).pipefusionDegree(2).build();
    }
    return XDiTParallel.inProcess(watched, EngineConfig.builder(MODEL).parallel(degrees).build());
  }

  static float[] pixels(XDiTParallel ranks) {
    try (Generation generation = ranks.generate(FOX)) {
      return Pixels.floats(generation.tensor());
    }
  }

  /** Has the ranks wait in their next step until it is opened. */
  static final class Gate {
    final CountDownLatch reached = new CountDownLatch(1);
    final CountDownLatch opened = new CountDownLatch(1);

    /** One that is closed. */
    static Gate inEachStep() {
      Gate gate = new Gate();
      eachStep = gate::pass;
      return gate;
    }

    private void pass() {
      reached.countDown();
      try {
        opened.await(30, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  static boolean isLastStep(Progress progress) {
    return progress instanceof Progress.Denoising && progress.complete();
  }
}
