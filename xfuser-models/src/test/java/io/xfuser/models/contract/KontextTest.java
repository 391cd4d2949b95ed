package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.Picture;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest.Reference;
import io.xfuser.models.internal.files.OneFile;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Flux Kontext sees a picture as diffusers' {@code FluxKontextPipeline} does. */
class KontextTest {
  private static final Path FOLDER = DiffusersCall.FIXTURES.resolve("reference/kontext");

  @TempDir static Path shared;
  private static final Map<Path, DiffusionPipeline> OPENED = new HashMap<>();

  @TempDir Path scratch;

  @AfterAll
  static void close() {
    OPENED.values().forEach(DiffusionPipeline::close);
  }

  /** The pipeline in {@code flux}, whose transformer refers to a picture. */
  private static DiffusionPipeline opened(Path flux) {
    return OPENED.computeIfAbsent(
        flux,
        directory ->
            DiffusionPipeline.fromPretrained(
                EngineConfig.of(
                    Requests.kontext(directory, shared.resolve(directory.getFileName())))));
  }

  /** But for one that is seen as large as trainings' pictures, whose size has a test of its own. */
  static List<DiffusersCall> calls() throws IOException {
    return ReferredPictures.calls(FOLDER).stream()
        .filter(call -> CoveringArray.ALL || !call.toString().endsWith(" preferred"))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("calls")
  void everyPictureEqualsThatOfDiffusers(DiffusersCall call) throws IOException {
    ReferredPictures.requireEqual(FOLDER, call, opened(call.directory()));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void theFileDrawsThemToo(int number) throws IOException {
    DiffusersCall call = calls().get(number);
    String table = String.valueOf(call.directory().getFileName());
    Path directory = Requests.kontext(call.directory(), scratch);
    Path file = scratch.resolve("flux1-kontext.safetensors");
    EngineConfig engine =
        EngineConfig.builder(OneFile.alone(directory, table, file).build()).build();
    ReferredPictures.requireEqual(FOLDER, call, engine);
  }

  static Stream<int[]> sizes() throws IOException {
    return ReferredPictures.sizes(FOLDER);
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void aPictureIsSeenInTheNearestSizeOfTheTraining(int[] size) {
    InputConfig input =
        InputConfig.builder("a fox")
            .image(Picture.of(new BufferedImage(size[0], size[1], BufferedImage.TYPE_INT_RGB)))
            .build();
    DiffusionPipeline pipeline = opened(Requests.directory("flux_schnell_tiny"));
    Reference seen = pipeline.model().resolve(input).seen().get(0);
    assertThat(List.of(seen.image().width(), seen.image().height()))
        .containsExactly(size[2], size[3]);
    assertThat(List.of(seen.latents().width(), seen.latents().height()))
        .containsExactly(size[2] / 8, size[3] / 8);
  }

  @Test
  void whatKontextHasNotIsRefusedByName() throws IOException {
    Path directory = Requests.kontext(Requests.directory("flux_schnell_tiny"), scratch);
    Picture small = Picture.of(new BufferedImage(40, 15, BufferedImage.TYPE_INT_RGB));
    InputConfig input = InputConfig.builder("a fox").image(small).build();
    assertThatThrownBy(() -> Requests.resolve(directory, input))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("image has 15 × 40 pixels (high × wide), but must have 16 along each side");
    assertThatThrownBy(() -> Requests.resolve(directory, input.toBuilder().strength(0.5).build()))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("flux_kontext has no strength without mask_image: it draws from noise");
    InputConfig two = input.toBuilder().images(List.of(small, small)).build();
    assertThatThrownBy(() -> Requests.resolve(directory, two))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("flux_kontext takes one image, but 2 are given");
    InputConfig three =
        input.toBuilder().images(List.of(small, small, small)).maskImage(small).build();
    assertThatThrownBy(() -> Requests.resolve(directory, three))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("flux_kontext takes two pictures with a mask at most, but 3 are given");
    InputConfig thin = InputConfig.builder("a fox").size(16, 4096).maxArea(4096).build();
    assertThatThrownBy(() -> Requests.resolve(directory, thin))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("height and width must be at least 16, but are 4 and 1024");
    assertThatThrownBy(
            () ->
                Requests.resolve(
                    Requests.directory("flux_schnell_tiny"),
                    InputConfig.builder("a fox").maxArea(4096).build()))
        .isInstanceOf(ArgumentException.class)
        .hasMessageContaining("max_area");
  }

  /** Patches of which some have no part of the reference. */
  @Test
  void aReferenceMayBeSmallerThanThereAreParts() throws IOException {
    Path directory = Requests.kontext(Requests.directory("flux_schnell_tiny"), scratch);
    Layout parts =
        new Layout(
            ParallelConfig.builder()
                .pipefusionDegree(2)
                .numPipelinePatch(2)
                .ulyssesDegree(2)
                .build(),
            1);
    try (NDManager manager = Torch.newManager()) {
      NDArray expected = drawn(manager, directory, parts.onOneRank());
      NDArray found = drawn(manager, directory, parts);
      assertThat(Pixels.largestDifference(found, expected)).isLessThanOrEqualTo(1e-5);
    }
  }

  private static NDArray drawn(NDManager manager, Path directory, Layout layout) {
    EngineConfig engine =
        EngineConfig.builder(directory)
            .parallel(layout.degrees())
            .runtime(r -> r.warmupSteps(layout.warmupSteps()))
            .build();
    InputConfig input =
        InputConfig.builder("a fox")
            .image(Picture.of(FOLDER.resolve("dot.png")))
            .size(48, 48)
            .maxArea(48 * 48)
            .autoResize(false)
            .numInferenceSteps(3)
            .maxSequenceLength(20)
            .outputType(OutputType.PT)
            .build();
    try (XDiTParallel pipeline = XDiTParallel.inProcess(engine);
        Generation generation = pipeline.generate(input)) {
      return Torch.alias(manager, generation.tensor());
    }
  }
}
