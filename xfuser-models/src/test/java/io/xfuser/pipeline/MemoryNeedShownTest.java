package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.models.contract.ShownPictures;
import io.xfuser.report.RankReport;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What pictures that are prompts need at least, beside what all requests do. */
class MemoryNeedShownTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

  /** Keys and values of 4 tokens of each of two adapters, and a fifth tensor of all 576 tokens. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void picturesThatArePromptsCountWhereTheyAreShown(int tensor) {
    Path directory = FIXTURES.resolve("flux_schnell_tiny");
    ModelConfig model = ShownPictures.with(directory, "schnell.safetensors", "other.safetensors");
    EngineConfig engine =
        EngineConfig.builder(model)
            .parallel(ParallelConfig.builder().tensorDegree(tensor).build())
            .build();
    InputConfig plain =
        InputConfig.builder("a red fox")
            .size(384, 384)
            .numInferenceSteps(1)
            .outputType(OutputType.LATENT)
            .maxSequenceLength(20)
            .build();
    InputConfig shown = ShownPictures.show(plain, "hills.png", "tower.png");
    try (DiffusionPipeline other = DiffusionPipeline.fromPretrained(model)) {
      double[] needs =
          Stream.of(plain, shown)
              .mapToDouble(input -> MemoryNeedTest.denoising(other, engine, input).bytes())
              .toArray();
      double width = (double) other.spec().heads() * other.spec().headSize();
      double kept = 3 * 2 * 2 * 4 * width; // of 3 double blocks
      assertThat(needs[1] - needs[0]).isEqualTo((kept + 576 * width / tensor) * Float.BYTES);
      try (XDiTParallel ranks = XDiTParallel.inProcess(other, engine);
          Generation generation = ranks.generate(shown)) {
        double held =
            generation.report().ranks().stream().mapToDouble(RankReport::peakTensorBytes).sum();
        assertThat(needs[1]).isLessThan(held);
      }
    }
  }

  /** Shifts and factors of 8 attentions, and a fifth tensor of all 144 tokens of both branches. */
  @Test
  void picturesThatTheTimestepChangesCountWhereTheyAreShown() {
    Path directory = FIXTURES.resolve("sd35_medium_tiny");
    ModelConfig model = ShownPictures.from(ShownPictures.TIMED, directory, "medium.safetensors");
    EngineConfig engine = EngineConfig.builder(model).build();
    InputConfig plain =
        InputConfig.builder("a red fox")
            .size(192, 192)
            .numInferenceSteps(1)
            .outputType(OutputType.LATENT)
            .maxSequenceLength(20)
            .build();
    InputConfig shown = ShownPictures.show(ShownPictures.TIMED, plain, "hills.png");
    try (DiffusionPipeline other = DiffusionPipeline.fromPretrained(model)) {
      double need = MemoryNeedTest.denoising(other, engine, shown).bytes();
      double more = need - MemoryNeedTest.denoising(other, engine, plain).bytes();
      assertThat(more).isEqualTo((8 * 2 + 2 * 144) * 24.0 * Float.BYTES);
      try (XDiTParallel ranks = XDiTParallel.inProcess(other, engine);
          Generation generation = ranks.generate(shown)) {
        assertThat(need).isLessThan(generation.report().ranks().get(0).peakTensorBytes());
      }
    }
    ModelConfig zero = ShownPictures.from(ShownPictures.TIMED, directory, "medium.safetensors:0");
    try (DiffusionPipeline other = DiffusionPipeline.fromPretrained(zero)) { // nothing is computed
      assertThat(MemoryNeedTest.denoising(other, engine, shown).bytes())
          .isEqualTo(MemoryNeedTest.denoising(other, engine, plain).bytes());
    }
  }
}
