package io.xfuser.internal.picture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.internal.picture.Bitmap.Box;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Pictures made by scripts/fixtures/resize_reference.py, to the last bit. */
class ResizingTest {
  private static final Path FOLDER = Path.of("src/test/resources/fixtures/images");

  static Stream<Arguments> cases(String kind) throws IOException {
    JsonNode all = new ObjectMapper().readTree(FOLDER.resolve("resizing.json").toFile()).get(kind);
    return IntStream.range(0, all.size()).mapToObj(i -> Arguments.of(i, all.get(i)));
  }

  static Stream<Arguments> resized() throws IOException {
    return cases("resized");
  }

  @ParameterizedTest
  @MethodSource("resized")
  void sizesAreThoseOfPillow(int number, JsonNode made) {
    Bitmap image = bitmap("resized." + number + ".image");
    int width = made.get("width").asInt();
    int height = made.get("height").asInt();
    Bitmap found =
        switch (made.get("mode").asText()) {
          case "crop" -> Resizing.cropped(image, width, height);
          case "fill" -> Resizing.filled(image, width, height);
          default -> Resizing.stretched(image, width, height);
        };
    assertThat(found).isEqualTo(bitmap("resized." + number + ".made"));
  }

  static Stream<Arguments> parts() throws IOException {
    return cases("parts");
  }

  @ParameterizedTest
  @MethodSource("parts")
  void partsAreFoundAndPutBackAsByDiffusers(int number, JsonNode part) {
    Bitmap mask = bitmap("part." + number + ".mask");
    Box box =
        MaskedPart.of(
            mask, part.get("width").asInt(), part.get("height").asInt(), part.get("pad").asInt());
    JsonNode expected = part.get("box");
    assertThat(box)
        .isEqualTo(
            new Box(
                expected.get(0).asInt(),
                expected.get(1).asInt(),
                expected.get(2).asInt(),
                expected.get(3).asInt()));
    Overlay overlay = new Overlay(bitmap("part." + number + ".image"), mask, box);
    assertThat(overlay.apply(bitmap("part." + number + ".drawn")))
        .isEqualTo(bitmap("part." + number + ".overlaid"));
  }

  @Test
  void grayIsThatOfPillow() {
    assertThat(bitmap("gray.image").gray()).isEqualTo(bitmap("gray.made"));
  }

  @Test
  void aBlackMaskShowsNoPart() {
    assertThatThrownBy(() -> MaskedPart.of(Bitmap.black(9, 7, 1), 16, 16, 4))
        .hasMessage("the mask_image is black, so that nothing would be drawn");
  }

  private static Bitmap bitmap(String name) {
    try (FileWeights tensors = FileWeights.openFile(FOLDER.resolve("resizing.safetensors"), null);
        NDManager manager = Torch.newManager()) {
      long[] shape = tensors.shape(name); // (H, W, C)
      NDArray values = tensors.get(manager, name, shape);
      ByteBuffer memory = Torch.memory(values);
      byte[] bytes = new byte[memory.remaining()];
      memory.get(bytes);
      return new Bitmap((int) shape[1], (int) shape[0], (int) shape[2], bytes);
    }
  }
}
