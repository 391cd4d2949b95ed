package io.xfuser.models;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.ParallelConfigBuilder;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.internal.runtime.RankMemory;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.report.RankReport;
import io.xfuser.torchscript.ElementType;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is said of ranks before anything is read is what they hold after drawing. */
class RankMemoryTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

  private static ParallelConfig degrees(String layout) {
    ParallelConfigBuilder degrees = ParallelConfig.builder();
    return switch (layout) {
      case "serial" -> degrees.build();
      case "tensor 2" -> degrees.tensorDegree(2).build();
      case "stages 2" -> degrees.pipefusionDegree(2).build();
      case "tensor 2 stages 2" -> degrees.tensorDegree(2).pipefusionDegree(2).build();
      case "ulysses 2" -> degrees.ulyssesDegree(2).build();
      case "cfg vae 1" -> degrees.cfgDegree(2).vaeParallelSize(1).build();
      default -> throw new IllegalArgumentException(layout);
    };
  }

  @ParameterizedTest
  @CsvSource({
    "pixart_sigma_tiny, tensor 2 stages 2, FLOAT32, true, ",
    "pixart_sigma_tiny, cfg vae 1, BFLOAT16, false, int8",
    "sd3_tiny, stages 2, FLOAT32, false, int8",
    "flux_dev_tiny, tensor 2, FLOAT32, true, int8",
    "hunyuandit_tiny, tensor 2, FLOAT32, false, ",
    "latte_tiny, stages 2, FLOAT32, true, ",
    "dit_tiny, tensor 2, FLOAT32, false, int8",
    "wan22_tiny, stages 2, FLOAT32, true, ",
  })
  void everyRankHoldsWhatWasSaid(
      String name, String layout, ElementType type, boolean sharded, @Nullable String quantized) {
    ModelConfig.Builder model = ModelConfig.builder(FIXTURES.resolve(name));
    if (quantized != null) {
      model.quantize(ElementType.INT8);
    }
    ParallelConfig degrees = degrees(layout);
    RuntimeConfig runtime =
        RuntimeConfig.builder()
            .dtype(type)
            .shardTextEncoder(sharded)
            .useParallelVae(sharded)
            .build();
    EngineConfig engine = new EngineConfig(model.build(), runtime, degrees);
    InputConfigBuilder small = InputConfig.builder().useResolutionBinning(false);
    if (name.startsWith("wan")) {
      small.numFrames(5);
    }
    InputConfig asked = (name.startsWith("dit") ? small : small.size(64, 64)).build();
    int steps = name.equals("wan22_tiny") ? 4 : 1; // both of its transformers have a part
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine);
        XDiTParallel parallel = XDiTParallel.inProcess(pipeline, engine)) {
      InputConfig input = RankMemory.drawable(pipeline.model(), engine, asked);
      List<RankMemory> said = RankMemory.of(pipeline.model(), engine, asked).ranks();
      try (Generation drawn =
          parallel.generate(input.toBuilder().numInferenceSteps(steps).build())) {
        List<RankReport> held = drawn.report().ranks();
        assertThat(held).hasSameSizeAs(said);
        for (int rank = 0; rank < held.size(); rank++) {
          assertThat(Sizes.of(said.get(rank)))
              .as("rank %d", rank)
              .isEqualTo(Sizes.of(held.get(rank)));
        }
        assertThat(said.get(0).transformerBytes()).isPositive();
      }
    }
  }

  @Tag("complete")
  @ParameterizedTest
  @CsvSource({
    "pixart_sigma_tiny, serial, FLOAT32, false, ",
    "sd3_tiny, tensor 2, BFLOAT16, true, ",
    "flux_schnell_tiny, stages 2, FLOAT16, false, ",
    "hunyuandit_tiny, ulysses 2, FLOAT32, true, int8",
  })
  void soItDoesElsewhere(
      String name, String layout, ElementType type, boolean sharded, @Nullable String quantized) {
    everyRankHoldsWhatWasSaid(name, layout, type, sharded, quantized);
  }

  private record Sizes(long transformer, long text, long vae) {
    static Sizes of(RankMemory said) {
      return new Sizes(said.transformerBytes(), said.textEncoderBytes(), said.vaeBytes());
    }

    static Sizes of(RankReport held) {
      return new Sizes(held.parameterBytes(), held.textParameterBytes(), held.vaeParameterBytes());
    }
  }
}
