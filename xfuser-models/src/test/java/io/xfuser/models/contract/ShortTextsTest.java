package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.Settings.Schedule;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Texts of fewer tokens than there are ranks, some of which have none. */
class ShortTextsTest {
  private static final int TOKENS = 3;
  private static final ParallelConfig SERIAL = ParallelConfig.serial();

  static Stream<Arguments> pictures() {
    ParallelConfig four = SERIAL.toBuilder().ulyssesDegree(4).numPipelinePatch(2).build();
    List<ParallelConfig> layouts =
        List.of(
            four,
            four.toBuilder().ringDegree(2).ulyssesSchedule(Schedule.V_FIRST).build(),
            SERIAL.toBuilder().ringDegree(4).pipefusionDegree(2).numPipelinePatch(1).build(),
            SERIAL.toBuilder()
                .ulyssesDegree(2)
                .ringDegree(2)
                .pipefusionDegree(2)
                .numPipelinePatch(3)
                .build());
    List<String> models = List.of("flux_dev_tiny", "chroma_tiny", "flux2_klein_tiny");
    return layouts.stream()
        .flatMap(
            layout ->
                CoveringArray.part(models, layouts.indexOf(layout), models.size()).stream()
                    .map(model -> Arguments.of(model, layout)));
  }

  @ParameterizedTest
  @MethodSource("pictures")
  void ranksWithoutTextDrawWhatOneRankDraws(String model, ParallelConfig layout) {
    EngineConfig engine = EngineConfig.of(Requests.directory(model));
    ParallelConfig alone = SERIAL.toBuilder().numPipelinePatch(layout.patches()).build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine.model());
        Generation expected = drawn(pipeline, engine, alone, model);
        Generation found = drawn(pipeline, engine, layout, model)) {
      double scale = Pixels.largest(expected.tensor());
      assertThat(Pixels.largestDifference(found.tensor(), expected.tensor()) / scale)
          .isLessThanOrEqualTo(1e-4);
    }
  }

  private static Generation drawn(
      DiffusionPipeline pipeline, EngineConfig engine, ParallelConfig layout, String model) {
    InputConfig input =
        Requests.two(model).toBuilder()
            .maxSequenceLength(TOKENS)
            .numInferenceSteps(3)
            .outputType(OutputType.LATENT)
            .build();
    EngineConfig ranks = engine.toBuilder().parallel(layout).runtime(r -> r.warmupSteps(1)).build();
    try (XDiTParallel parallel = XDiTParallel.inProcess(pipeline, ranks)) {
      return parallel.generate(input);
    }
  }
}
