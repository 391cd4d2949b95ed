package io.xfuser.models.internal.pixart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.modality.cv.Image;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a program that embeds the pipeline may do with it, call after call. */
class EmbeddingTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");

  /** 4 × 3 = 12 tokens. */
  private static final InputConfig FOX =
      InputConfig.builder("a red fox")
          .height(64)
          .width(48)
          .useResolutionBinning(false)
          .numInferenceSteps(2)
          .outputType(OutputType.PT)
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

  /** One rank, or four: two stages of two Ulysses ranks. */
  private static XDiTParallel ranks(int count) {
    ParallelConfig degrees = ParallelConfig.serial();
    if (count == 4) {
      degrees = degrees.toBuilder().ulyssesDegree(2).pipefusionDegree(2).build();
    }
    return XDiTParallel.inProcess(pipeline, EngineConfig.builder(MODEL).parallel(degrees).build());
  }

  private static float[] pixels(XDiTParallel ranks, InputConfig input) {
    try (Generation generation = ranks.generate(input)) {
      return Pixels.floats(generation.tensor());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = 4)
  void theSameRequestGivesTheSameBitsWhateverWasAskedForInBetween(int count) throws Exception {
    try (XDiTParallel ranks = ranks(count)) {
      float[] first = pixels(ranks, FOX);
      assertThat(pixels(ranks, FOX.toBuilder().prompts("two blue boats").build()))
          .isNotEqualTo(first);
      assertThat(pixels(ranks, FOX.toBuilder().size(32, 80).numInferenceSteps(3).build()))
          .hasSize(3 * 32 * 80);
      assertThat(pixels(ranks, FOX.toBuilder().numImagesPerPrompt(2).guidanceScale(1).build()))
          .hasSize(2 * 3 * 64 * 48);
      try (Generation latents =
              ranks.generate(FOX.toBuilder().outputType(OutputType.LATENT).build());
          Generation pictures =
              ranks.generate(FOX.toBuilder().outputType(OutputType.PIL).build())) {
        assertThat(latents.tensor().getShape().getShape()).containsExactly(1, 4, 8, 6);
        Image picture = pictures.images().get(0);
        assertThat(List.of(picture.getWidth(), picture.getHeight())).containsExactly(48, 64);
      }
      assertThat(pixels(ranks, FOX)).isEqualTo(first);
    }
  }

  @Tag("complete")
  @Test
  void soDoesOneRank() throws Exception {
    theSameRequestGivesTheSameBitsWhateverWasAskedForInBetween(1);
  }

  @Test
  void callsOfSeveralThreadsQueueAndGetTheirOwnPictures() throws Exception {
    ExecutorService callers = Executors.newFixedThreadPool(3);
    try (XDiTParallel ranks = ranks(4)) {
      List<InputConfig> all =
          List.of(
              FOX,
              FOX.toBuilder().size(48, 48).build(),
              FOX.toBuilder().seed(7).build(),
              FOX.toBuilder().prompts("two blue boats").build());
      List<InputConfig> requests = all.subList(0, CoveringArray.ALL ? 4 : 3);
      List<Future<float[]>> together = new ArrayList<>();
      for (InputConfig request : requests) {
        together.add(callers.submit(() -> pixels(ranks, request)));
      }
      for (int i = 0; i < requests.size(); i++) {
        assertThat(together.get(i).get()).isEqualTo(pixels(ranks, requests.get(i)));
      }
    } finally {
      callers.shutdownNow();
    }
  }

  @Test
  void anImpossibleRequestIsRefusedWithTheNumbersAndTheNextOneWorks() {
    try (XDiTParallel ranks = ranks(4)) {
      float[] alone = pixels(ranks, FOX);
      refused(
          ranks, FOX.toBuilder().size(100, 100).build(), "multiples of 16, but are 100 and 100");
      refused(
          ranks,
          FOX.toBuilder().size(16, 48).build(),
          "needs at least 4 tokens, but the picture has 3");
      refused(ranks, FOX.toBuilder().prompts().build(), "pixart_sigma needs prompt");
      assertThat(pixels(ranks, FOX)).isEqualTo(alone);
    }
    tooMany(
        ParallelConfig.builder().pipefusionDegree(10).build(),
        "pipefusion_parallel_degree is 10",
        "9 transf");
    tooMany(
        ParallelConfig.builder().ulyssesDegree(7).build(),
        "ulysses_degree is 7",
        "6 attention heads");
    tooMany(
        ParallelConfig.builder().dataDegree(2).build(), "data_parallel_degree is 2", "1 pictures");
  }

  private static void refused(XDiTParallel ranks, InputConfig input, String sentence) {
    assertThatThrownBy(() -> ranks.generate(input))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(sentence);
  }

  private static void tooMany(ParallelConfig degrees, String... parts) {
    EngineConfig engine = EngineConfig.builder(MODEL).parallel(degrees).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine)) {
      assertThatThrownBy(() -> ranks.generate(FOX))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContainingAll(parts);
    }
  }

  @Test
  void anEngineOfAnotherElementTypeThanThePipelineIsRefused() {
    EngineConfig engine =
        EngineConfig.builder(MODEL).runtime(r -> r.dtype(ElementType.BFLOAT16)).build();
    assertThatThrownBy(() -> XDiTParallel.inProcess(pipeline, engine))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the pipeline was opened in float32, but the engine computes in bfloat16");
  }
}
