package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.Picture;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.pipeline.DiffusionPipeline;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Flux.2 sees pictures as diffusers' pipelines do. */
class Flux2PicturesTest {
  private static final Path FOLDER = ReferredPictures.folder("flux2_pictures");

  private static DiffusionPipeline pipeline;

  @BeforeAll
  static void open() {
    pipeline =
        DiffusionPipeline.fromPretrained(EngineConfig.of(Requests.directory("flux2_klein_tiny")));
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  static List<DiffusersCall> calls() throws IOException {
    return ReferredPictures.calls(FOLDER);
  }

  @ParameterizedTest
  @MethodSource("calls")
  void everyPictureEqualsThatOfDiffusers(DiffusersCall call) {
    ReferredPictures.requireEqual(FOLDER, call, EngineConfig.of(call.directory()));
  }

  static Stream<int[]> sizes() throws IOException {
    return ReferredPictures.sizes(FOLDER);
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void aPictureIsSeenInMultiplesAndGivesTheSize(int[] size) {
    GenerationRequest request = resolve(size[0], size[1]);
    assertThat(request.seen().get(0).image().width()).isEqualTo(size[2]);
    assertThat(request.seen().get(0).image().height()).isEqualTo(size[3]);
    assertThat(request.size()).isEqualTo(new Size(size[3], size[2]));
  }

  @Test
  void smallAndLongPicturesAreRefused() {
    for (int[] size : new int[][] {{63, 200}, {1000, 120}}) {
      assertThatThrownBy(() -> resolve(size[0], size[1]))
          .isInstanceOf(ArgumentException.class)
          .hasMessage(
              "image has %d × %d pixels (high × wide), but must have 64 along each side,"
                      .formatted(size[1], size[0])
                  + " and at most 8 times as many along one as along the other");
    }
  }

  private static GenerationRequest resolve(int width, int height) {
    Picture picture = Picture.of(new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB));
    return pipeline.model().resolve(InputConfig.builder("a fox").image(picture).build());
  }
}
