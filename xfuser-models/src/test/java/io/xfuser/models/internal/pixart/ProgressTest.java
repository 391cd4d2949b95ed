package io.xfuser.models.internal.pixart;

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
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.progress.Progress.Component;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Everything that takes long tells how far it is. */
@Timeout(300)
class ProgressTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");

  private static final InputConfig FOX =
      InputConfig.builder("a red fox")
          .height(128)
          .width(96)
          .useResolutionBinning(false)
          .numInferenceSteps(2)
          .build();

  /** What a listener hears, by phase. */
  private static final class Told {
    private final Map<String, List<Progress>> phases = new LinkedHashMap<>();

    synchronized boolean add(Progress progress) {
      phases.computeIfAbsent(progress.doing(), phase -> new ArrayList<>()).add(progress);
      return true;
    }

    synchronized void everyPhaseGoesFromNothingToAllOfIt() {
      phases.forEach(
          (phase, all) -> {
            long total = all.get(0).total();
            List<Long> done = all.stream().map(Progress::done).distinct().toList();
            assertThat(all).as(phase).allMatch(each -> each.total() == total);
            assertThat(done).as(phase).isSorted().endsWith(total);
          });
    }

    synchronized long total(String phase) {
      return Objects.requireNonNull(phases.get(phase)).get(0).total();
    }
  }

  private static DiffusionPipeline open() {
    return DiffusionPipeline.fromPretrained(ModelConfig.builder(MODEL).build());
  }

  private static EngineConfig engine(ParallelConfig degrees, boolean tiling) {
    RuntimeConfig runtime = RuntimeConfig.builder().enableTiling(tiling).build();
    return EngineConfig.builder(MODEL).runtime(runtime).parallel(degrees).build();
  }

  @ParameterizedTest
  @CsvSource({"1, 1, false", "1, 1, true", "2, 1, false", "2, 2, true"})
  void everyPhaseOfARequestIsToldFromNothingToAllOfIt(int stages, int ulysses, boolean tiling) {
    ParallelConfig degrees =
        ParallelConfig.builder().pipefusionDegree(stages).ulyssesDegree(ulysses).build();
    Told told = new Told();
    try (DiffusionPipeline pipeline = open();
        XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine(degrees, tiling));
        Generation generation = ranks.generate(FOX, told::add)) {
      assertThat(generation.images()).hasSize(1);
      told.everyPhaseGoesFromNothingToAllOfIt();
      assertThat(told.phases.keySet())
          .containsExactlyInAnyOrder(
              "loading the transformer",
              "loading the text encoder",
              "encoding the prompt",
              "denoising",
              "loading the decoder",
              "decoding");
      assertThat(told.total("denoising")).isEqualTo(2);
      assertThat(told.total("loading the text encoder")).isEqualTo(pipeline.textEncoderBytes());
      long blocks = pipeline.transformerBytes();
      assertThat(told.total("loading the transformer"))
          .isBetween(blocks / stages / 2, blocks / stages * 11 / 10 + blocks / 9);
    }
  }

  @Test
  void openingIsTold() {
    Told told = new Told();
    DiffusionPipeline.fromPretrained(
            ModelConfig.builder(MODEL).build(), RuntimeConfig.builder().build(), told::add)
        .close();
    told.everyPhaseGoesFromNothingToAllOfIt();
    assertThat(told.phases.keySet()).containsExactly("opening the model");
  }

  @Test
  void openingEndsIfTheListenerHasHadEnough() {
    ModelConfig model = ModelConfig.builder(MODEL).build();
    RuntimeConfig runtime = RuntimeConfig.builder().build();
    assertThatThrownBy(
            () -> DiffusionPipeline.fromPretrained(model, runtime, progress -> false).close())
        .isInstanceOf(CancelledException.class)
        .hasMessage("cancelled while opening the model");
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "2, 1", "1, 2", "2, 2"})
  void loadingBeforehandLeavesNothingToLoad(int stages, int data) {
    ParallelConfig degrees =
        ParallelConfig.builder()
            .pipefusionDegree(stages)
            .dataDegree(data)
            .vaeParallelSize(1)
            .build();
    InputConfig input = FOX.toBuilder().numImagesPerPrompt(data).build();
    Told told = new Told();
    try (DiffusionPipeline pipeline = open();
        XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine(degrees, false))) {
      ranks.load(told::add);
      long transformer = pipeline.transformerBytes();
      long encoder = pipeline.textEncoderBytes();
      assertThat(transformer).isPositive();
      assertThat(encoder).isPositive();
      List<Progress> later = new ArrayList<>();
      ranks.generate(input, later::add).close();
      assertThat(later)
          .filteredOn(Progress.Loading.class::isInstance)
          .allMatch(loading -> loading.done() == 0 || loading.complete());
      assertThat(pipeline.transformerBytes()).isEqualTo(transformer);
      assertThat(pipeline.textEncoderBytes()).isEqualTo(encoder);
    }
    told.everyPhaseGoesFromNothingToAllOfIt();
    assertThat(told.phases.keySet())
        .containsExactlyInAnyOrder(
            "loading the transformer", "loading the text encoder", "loading the decoder");
  }

  @Test
  void whatIsToldOfALoadedComponentIsItsBytes() {
    try (DiffusionPipeline pipeline = open();
        XDiTParallel ranks = XDiTParallel.inProcess(pipeline, EngineConfig.of(MODEL))) {
      ranks.load();
      assertThat(pipeline.model().bytes(Component.TEXT_ENCODER))
          .isEqualTo(pipeline.textEncoderBytes());
      assertThat(pipeline.model().bytes(Component.TRANSFORMER))
          .isGreaterThanOrEqualTo(pipeline.transformerBytes());
    }
  }

  @Test
  void severalRanksOnOnePipelineShareItsWeights() {
    try (DiffusionPipeline pipeline = open();
        XDiTParallel first = XDiTParallel.inProcess(pipeline, EngineConfig.of(MODEL));
        XDiTParallel second =
            XDiTParallel.inProcess(
                pipeline, engine(ParallelConfig.builder().pipefusionDegree(2).build(), false))) {
      first.load();
      long transformer = pipeline.transformerBytes();
      long encoder = pipeline.textEncoderBytes();
      second.generate(FOX).close();
      assertThat(pipeline.transformerBytes()).isEqualTo(transformer);
      assertThat(pipeline.textEncoderBytes()).isEqualTo(encoder);
    }
  }
}
