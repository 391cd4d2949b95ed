package io.xfuser.models.pixart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.Progress;
import io.xfuser.pipeline.Progress.Phase;
import io.xfuser.pipeline.StepListener;
import io.xfuser.pipeline.XDiTParallel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Loading, encoding and decoding tell how far they are, and can be cancelled. */
@Timeout(60)
class ProgressTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");

  private static final InputConfig FOX =
      InputConfig.builder("a red fox")
          .size(128, 96)
          .useResolutionBinning(false)
          .numInferenceSteps(2)
          .build();

  private static DiffusionPipeline pipeline;

  @BeforeAll
  static void open() {
    pipeline = DiffusionPipeline.fromPretrained(ModelConfig.builder(MODEL).build());
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  /** Keeps what it is told, and cancels at one phase. */
  private static final class Told implements StepListener {
    private final Map<Phase, List<Progress>> phases = new LinkedHashMap<>();
    private final @Nullable Phase last;
    private int steps;

    Told(@Nullable Phase last) {
      this.last = last;
    }

    @Override
    public boolean stepTaken(int step, int of) {
      steps++;
      return true;
    }

    @Override
    public boolean progressed(Progress progress) {
      phases.computeIfAbsent(progress.phase(), phase -> new ArrayList<>()).add(progress);
      return progress.phase() != last || progress.done() == 0;
    }
  }

  private static XDiTParallel ranks(ParallelConfig degrees, boolean tiling) {
    RuntimeConfig runtime = RuntimeConfig.builder().enableTiling(tiling).build();
    EngineConfig engine = EngineConfig.builder(MODEL).runtime(runtime).parallel(degrees).build();
    return XDiTParallel.inProcess(pipeline, engine);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, false", "1, 1, true", "2, 1, false", "2, 2, true"})
  void everyPhaseCountsFromNothingToAllOfIt(int stages, int ulysses, boolean tiling) {
    ParallelConfig degrees =
        ParallelConfig.builder().pipefusionDegree(stages).ulyssesDegree(ulysses).build();
    Told told = new Told(null);
    try (XDiTParallel ranks = ranks(degrees, tiling);
        Generation generation = ranks.generate(FOX, told)) {
      assertThat(generation.images()).hasSize(1);
    }
    assertThat(told.steps).isEqualTo(2);
    assertThat(told.phases.keySet()).containsExactlyInAnyOrder(Phase.values());
    told.phases.forEach(
        (phase, all) -> {
          int total = all.get(0).total();
          List<Integer> done = all.stream().map(Progress::done).distinct().toList();
          assertThat(all).as(phase.label()).allMatch(each -> each.total() == total);
          assertThat(done).as(phase.label()).isSorted().startsWith(0).endsWith(total);
          assertThat(done).as(phase.label()).hasSize(total + 1);
        });
  }

  @ParameterizedTest
  @EnumSource(Phase.class)
  void everyPhaseCanBeCancelledAndTheNextRequestWorks(Phase phase) {
    try (XDiTParallel ranks = ranks(ParallelConfig.builder().pipefusionDegree(2).build(), false)) {
      assertThatThrownBy(() -> ranks.generate(FOX, new Told(phase)))
          .isInstanceOf(CancelledException.class)
          .hasMessage("cancelled while " + phase.label());
      try (Generation generation = ranks.generate(FOX)) {
        assertThat(generation.images()).hasSize(1);
      }
    }
  }
}
