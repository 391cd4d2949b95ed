package io.xfuser.models.internal.pixart;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.contract.Requests;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A seed for each picture, with a scheduler that adds fresh noise in each step. */
class SeedsTest {
  private static final List<Long> SEEDS = List.of(7L, -3L, 7L, 5L);
  private static final List<String> PROMPTS = List.of("a red fox", "two blue boats");

  /** Latents of this untrained model are as large as 1,500. */
  private static final float TOLERANCE = 0.02f;

  @TempDir private static Path directory;
  private static DiffusionPipeline pipeline;
  private static List<float[]> alone;

  @BeforeAll
  static void drawEachPictureAlone() throws IOException {
    DirectoryCopy.of(Requests.directory("pixart_sigma_tiny"), directory);
    Files.writeString(
        directory.resolve("scheduler/scheduler_config.json"),
        "{\"_class_name\": \"EulerAncestralDiscreteScheduler\"}");
    Path index = directory.resolve("model_index.json");
    Files.writeString(
        index,
        Files.readString(index)
            .replaceAll("DPMSolverMultistepScheduler", "EulerAncestralDiscreteScheduler"));
    pipeline = DiffusionPipeline.fromPretrained(ModelConfig.builder(directory).build());
    alone = alone(ParallelConfig.serial());
  }

  private static List<float[]> alone(ParallelConfig degrees) {
    List<float[]> pictures = new ArrayList<>();
    for (int i = 0; i < SEEDS.size(); i++) {
      pictures.add(drawn(degrees, input(PROMPTS.get(i / 2)).seed(SEEDS.get(i)).build()));
    }
    return pictures;
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  private static InputConfigBuilder input(String... prompts) {
    return InputConfig.builder(prompts)
        .size(80, 112)
        .maxSequenceLength(20)
        .useResolutionBinning(false)
        .numInferenceSteps(2)
        .outputType(OutputType.LATENT);
  }

  private static float[] drawn(ParallelConfig degrees, InputConfig input) {
    EngineConfig engine = EngineConfig.builder(directory).parallel(degrees).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
        Generation generation = ranks.generate(input)) {
      return Pixels.floats(generation.tensor());
    }
  }

  static List<ParallelConfig> layouts() {
    return Requests.HYBRIDS;
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void eachPictureIsTheOneOfItsSeedAlone(ParallelConfig degrees) {
    InputConfig four =
        input(PROMPTS.toArray(String[]::new)).numImagesPerPrompt(2).seeds(SEEDS).build();
    float[] together = drawn(degrees, four);
    boolean stale = degrees.patchesOfARank() > 1; // then another picture, alone too
    List<float[]> expected = stale ? alone(degrees.toBuilder().dataDegree(1).build()) : alone;
    int size = together.length / SEEDS.size();
    for (int i = 0; i < SEEDS.size(); i++) {
      assertThat(Arrays.copyOfRange(together, i * size, (i + 1) * size))
          .as("picture " + i)
          .containsExactly(expected.get(i), within(TOLERANCE));
    }
  }

  @Test
  void theSameSeedForTwoPromptsIsNotTheSamePicture() {
    assertThat(alone.get(0)).isNotEqualTo(alone.get(2));
    assertThat(alone.get(2)[0]).isNotCloseTo(alone.get(3)[0], within(TOLERANCE));
  }

  @Test
  void aFileTellsItsOwnSeedAlone(@TempDir Path folder) throws IOException {
    InputConfig two =
        input("a", "b")
            .numInferenceSteps(1)
            .outputType(OutputType.PIL)
            .seeds(List.of(7L, -3L))
            .build();
    EngineConfig engine = EngineConfig.of(directory);
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
        Generation generation = ranks.generate(two)) {
      Path second = generation.save(folder).get(1);
      assertThat(new String(Files.readAllBytes(second), ISO_8859_1))
          .contains("Seed: -3,", "\"seed\":\"-3\",\"image\":0,\"images\":1")
          .doesNotContain("Seed: 7");
    }
  }

  @Test
  void seedsAreAsManyAsPictures() {
    InputConfig three = input("a", "b").seeds(List.of(1L, 2L, 3L)).build();
    assertThatThrownBy(() -> drawn(ParallelConfig.serial(), three))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("seeds must be as many as pictures, but are 3 for 2");
  }
}
