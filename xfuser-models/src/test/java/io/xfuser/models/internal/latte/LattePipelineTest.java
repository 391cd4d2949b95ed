package io.xfuser.models.internal.latte;

import static io.xfuser.models.contract.Requests.resolve;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.modality.cv.Image;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.nn.Patchify;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Defaults, sizes, frames and settings that Latte accepts and refuses. */
class LattePipelineTest {
  private static final Path FIXTURE = Path.of("src/test/resources/fixtures/latte_tiny");
  private static final InputConfig FOX = InputConfig.builder("a fox").build();

  @Test
  void defaultsAreDiffusers() {
    GenerationRequest request = resolve(FIXTURE, FOX);
    assertThat(request.size()).isEqualTo(new Size(512, 512));
    assertThat(request.latents()) // a factor of 2; the config's video_length is 4
        .isEqualTo(new LatentShape(4, 4, 256, 256, new Patchify(2), LatentShape.Layout.FRAMES));
    assertThat(request.scheduler().steps()).isEqualTo(50);
    assertThat(request.guidance().scale()).isEqualTo(7.5);
    assertThat(request.text().maxSequenceLength()).isEqualTo(120);
    assertThat(request.text().cleanCaption()).isTrue();
    assertThat(resolve(FIXTURE, FOX.toBuilder().numFrames(1).build()).latents().frames())
        .isEqualTo(1);
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        Arguments.of(
            FOX.toBuilder().numFrames(3).build(),
            "num_frames is 3, but this model makes 1 or 4 frames"),
        Arguments.of(
            FOX.toBuilder().size(44, 40).build(),
            "height and width must be multiples of 8, but are 44 and 40"),
        Arguments.of(
            FOX.toBuilder().maxSequenceLength(77).build(), "latte has no max_sequence_length"),
        Arguments.of(
            FOX.toBuilder().prompts().classLabels(List.of(7)).build(), "latte has no class_labels"),
        Arguments.of(FOX.toBuilder().prompts().build(), "latte needs prompt"));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void whatDiffusersDoesNotTakeIsRefused(InputConfig input, String sentence) {
    assertThatThrownBy(() -> resolve(FIXTURE, input)).hasMessage(sentence);
  }

  @Test
  void aSizeThatIsNoWholeTokensIsRefused() {
    // diffusers accepts it, and fails in the first step
    Path plain = Path.of("src/test/resources/fixtures/latte_plain_tiny");
    assertThatThrownBy(() -> resolve(plain, FOX.toBuilder().size(40, 48).build()))
        .hasMessage("height and width must be multiples of 16, but are 40 and 48");
  }

  @Test
  void aTransformerOfAnotherKindIsRefused(@TempDir Path directory) throws IOException {
    DirectoryCopy.of(FIXTURE, directory)
        .rewrite("transformer/config.json", "ada_norm_single", "layer_norm");
    assertThatThrownBy(() -> resolve(directory, FOX))
        .hasMessageEndingWith("norm_type is layer_norm, only ada_norm_single is supported");
  }

  /** Five videos are 20 frames, of which the first 14 are decoded together. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 5})
  void ranksShareTheChunksThatAreDecodedTogether(int ranks) {
    InputConfig five =
        InputConfig.builder("a fox", "a boat", "a house", "a tree", "")
            .size(24, 16)
            .numInferenceSteps(1)
            .build();
    float[] serial = pixels(ParallelConfig.serial(), five);
    float[] parallel = pixels(ParallelConfig.builder().dataDegree(ranks).build(), five);
    assertThat(parallel).hasSameSizeAs(serial);
    for (int i = 0; i < serial.length; i++) {
      assertThat(Math.abs(parallel[i] - serial[i])).isLessThanOrEqualTo(1e-4f);
    }
  }

  private static float[] pixels(ParallelConfig degrees, InputConfig input) {
    EngineConfig engine = EngineConfig.builder(FIXTURE).parallel(degrees).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine);
        Generation generation =
            ranks.generate(input.toBuilder().outputType(OutputType.PT).build())) {
      return generation.tensor().toFloatArray();
    }
  }

  @Test
  void videosAreListsOfFrames() {
    EngineConfig engine = EngineConfig.builder(FIXTURE).parallel(p -> p.dataDegree(2)).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine);
        Generation generation =
            ranks.generate(
                InputConfig.builder("a fox", "a boat").size(24, 16).numInferenceSteps(1).build())) {
      assertThat(generation.videos()).hasSize(2);
      for (List<Image> video : generation.videos().values()) {
        assertThat(video).hasSize(4);
        assertThat(video).allMatch(frame -> frame.getHeight() == 24 && frame.getWidth() == 16);
      }
    }
  }
}
