package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.progress.Progress;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Unfinished pictures of a trained model, and pictures that cannot be. */
class PreviewTest {
  private static final Path MODEL = Path.of("../xfuser-examples/demo-model");
  private static final InputConfig FOX =
      InputConfig.builder("a fox")
          .seed(7)
          .numInferenceSteps(8)
          .set(InputConfig.PARTIAL_IMAGES, 3)
          .build();

  private static DiffusionPipeline pipeline;
  private static List<BufferedImage> serial;

  @BeforeAll
  static void open() {
    pipeline = DiffusionPipeline.fromPretrained(ModelConfig.builder(MODEL).build());
    serial = drawn(ParallelConfig.serial());
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  /** What is shown, then the picture. */
  private static List<BufferedImage> drawn(ParallelConfig parallel) {
    EngineConfig engine = EngineConfig.builder(MODEL).parallel(parallel).build();
    List<BufferedImage> all = new ArrayList<>();
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
        Generation made =
            ranks.generate(
                FOX,
                progress -> {
                  if (progress instanceof Progress.Preview preview) {
                    all.addAll(preview.pictures());
                  }
                  return true;
                })) {
      all.add((BufferedImage) made.images().get(0).getWrappedImage());
    }
    return all;
  }

  @Test
  void eachLooksMoreLikeThePicture() {
    assertThat(serial).hasSize(4);
    List<Double> away = serial.stream().map(shown -> away(shown, serial.get(3))).toList();
    assertThat(away.get(0)).isGreaterThan(away.get(1)).isLessThan(30);
    assertThat(away.get(1)).isGreaterThan(away.get(2));
    assertThat(away.get(2)).isLessThan(8);
  }

  /** Mean distance of their colours, of 255. */
  private static double away(BufferedImage a, BufferedImage b) {
    double sum = 0;
    for (int y = 0; y < a.getHeight(); y++) {
      for (int x = 0; x < a.getWidth(); x++) {
        for (int shift = 0; shift < 24; shift += 8) {
          sum += Math.abs((a.getRGB(x, y) >> shift & 255) - (b.getRGB(x, y) >> shift & 255));
        }
      }
    }
    return sum / (3.0 * a.getWidth() * a.getHeight());
  }

  static Stream<ParallelConfig> layouts() {
    ParallelConfig one = ParallelConfig.serial();
    return Stream.of(
        one.toBuilder().ulyssesDegree(2).build(),
        one.toBuilder().cfgDegree(2).build(),
        one.toBuilder().pipefusionDegree(2).numPipelinePatch(2).build());
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void ranksShowWhatOneRankShows(ParallelConfig layout) {
    List<BufferedImage> shown = drawn(layout);
    assertThat(shown).hasSize(4);
    double most = layout.pipefusionDegree() > 1 ? 12 : 0.5; // stale keys and values, as finished
    for (int i = 0; i < 4; i++) {
      assertThat(away(shown.get(i), serial.get(i))).isLessThan(most);
    }
  }

  @Test
  void pictureOfNoNumbersIsRefused() {
    EngineConfig engine = EngineConfig.builder(MODEL).build();
    InputConfig overflowing =
        FOX.toBuilder().guidanceScale(1e308).set(InputConfig.PARTIAL_IMAGES, 0).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine)) {
      assertThatThrownBy(() -> ranks.generate(overflowing))
          .isInstanceOf(ArgumentException.class)
          .hasMessageMatching(
              "\\d+ of \\d+ latents are infinite or no numbers, so there is no picture; a smaller"
                  + " guidance_scale may help, .*");
      ranks.generate(FOX).close(); // the next one is drawn
    }
  }
}
