package io.xfuser.internal.picture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import io.xfuser.config.Picture;
import io.xfuser.failure.ArgumentException;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.torchscript.Torch;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files made by scripts/fixtures/file_reference.py, and what may be wrong with some. */
class PictureFileTest {
  private static final Path FOLDER = Path.of("src/test/resources/fixtures/reference/files");
  private static final int MUTATIONS = CoveringArray.ALL ? 1000 : 200;

  static List<String> files() throws IOException {
    try (Stream<Path> all = Files.list(FOLDER)) {
      return all.map(file -> String.valueOf(file.getFileName()))
          .filter(name -> !name.endsWith("safetensors"))
          .sorted()
          .toList();
    }
  }

  /** PNG and WebP to the last bit, JPEG as near as two decoders are. */
  @ParameterizedTest
  @MethodSource("files")
  void everyFileIsReadAsByPillow(String name) {
    Bitmap found = PictureFile.read("image", Picture.of(FOLDER.resolve(name)));
    Bitmap expected = expected(name);
    assertThat(found).hasToString(expected.toString());
    assertThat(largestDifference(found, expected)).isLessThanOrEqualTo(tolerance(name));
  }

  private static int tolerance(String name) {
    return name.endsWith("jpg") ? 1 : 0;
  }

  @Test
  void bytesAndPixelsAreReadAsAFileIs() throws IOException {
    Path file = FOLDER.resolve("rgb.png");
    Bitmap expected = PictureFile.read("image", Picture.of(file));
    byte[] bytes = Files.readAllBytes(file);
    assertThat(PictureFile.read("image", Picture.of(bytes))).isEqualTo(expected);
    BufferedImage pixels = expected.toImage();
    assertThat(PictureFile.read("image", Picture.of(pixels))).isEqualTo(expected);
    assertThat(Picture.of(bytes)).isEqualTo(Picture.of(bytes.clone()));
  }

  @Test
  void whatIsNoPictureIsNamed() {
    Path none = FOLDER.resolve("none.png");
    assertThatThrownBy(() -> PictureFile.read("image", Picture.of(none)))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("the picture " + none + " does not exist");
    assertThatThrownBy(() -> PictureFile.read("mask_image", Picture.of(new byte[] {1, 2, 3})))
        .hasMessage("mask_image a picture of 3 bytes is neither PNG, JPEG nor WebP");
    assertThatThrownBy(() -> PictureFile.read("image", Picture.of(FOLDER)))
        .isInstanceOf(ArgumentException.class)
        .hasMessageStartingWith("the picture " + FOLDER + " ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "rgb.png",
        "palette.png",
        "halved.jpg",
        "cmyk.jpg",
        "lossless.webp",
        "lossy_fine.webp"
      })
  void aFileThatEndsTooEarlyIsRefused(String name) throws IOException {
    byte[] file = Files.readAllBytes(FOLDER.resolve(name));
    byte[] half = Arrays.copyOf(file, file.length * 3 / 4);
    assertThatThrownBy(() -> PictureFile.read("image", Picture.of(half)))
        .isInstanceOf(ArgumentException.class)
        .hasMessageStartingWith("image a picture of " + half.length + " bytes cannot be read as ");
  }

  /** So many pixels would take hundreds of gigabytes. */
  @Test
  void aPictureThatWouldFillMemoryIsRefusedByItsHeader() throws IOException {
    byte[] png = Files.readAllBytes(FOLDER.resolve("rgb.png"));
    ByteBuffer header = ByteBuffer.wrap(png, 16, 8);
    header.putInt(300_000).putInt(400_000);
    CRC32 sum = new CRC32();
    sum.update(png, 12, 17);
    ByteBuffer.wrap(png, 29, 4).putInt((int) sum.getValue());
    assertThatThrownBy(() -> PictureFile.read("image", Picture.of(png)))
        .isInstanceOf(ArgumentException.class)
        .hasMessageContaining("has 400000 × 300000 pixels (high × wide), but must have 1 to ");
    byte[] jpeg = Files.readAllBytes(FOLDER.resolve("rgb.jpg"));
    int frame = new String(jpeg, StandardCharsets.ISO_8859_1).indexOf("\u00FF\u00C0");
    ByteBuffer.wrap(jpeg, frame + 5, 4).putInt(0xEA60_EA60);
    assertThatThrownBy(() -> PictureFile.read("image", Picture.of(jpeg)))
        .hasMessageContaining("has 60000 × 60000 pixels (high × wide), but must have 1 to ");
  }

  /** A byte changed, left out, added, or all from somewhere on: a picture or one sentence. */
  @ParameterizedTest
  @CsvSource({
    "rgb.png, 1",
    "palette.png, 2",
    "turned_6.jpg, 3",
    "cmyk.jpg, 4",
    "lossless.webp, 5",
    "lossy.webp, 6",
    "lossy_fine.webp, 7",
    "animated.webp, 8",
    "lossy_alpha.webp, 9"
  })
  void mutationsAreReadOrRefusedInOneSentence(String name, long seed) throws IOException {
    byte[] file = Files.readAllBytes(FOLDER.resolve(name));
    Random random = new Random(seed);
    int refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] mutation = mutated(file, random);
      try {
        PictureFile.read("image", Picture.of(mutation));
      } catch (ArgumentException e) {
        refused++;
        assertThat(e.getMessage()).startsWith("image a picture of ").doesNotContain("\n");
      }
    }
    assertThat(refused).isBetween(1, MUTATIONS - 1);
  }

  private static byte[] mutated(byte[] file, Random random) {
    byte[] mutation = file.clone();
    int changes = 1 + random.nextInt(3);
    for (int i = 0; i < changes; i++) {
      mutation[random.nextInt(mutation.length)] = (byte) random.nextInt(256);
    }
    return switch (random.nextInt(4)) {
      case 0 -> Arrays.copyOf(mutation, random.nextInt(mutation.length));
      case 1 -> Arrays.copyOf(mutation, mutation.length + random.nextInt(9));
      default -> mutation;
    };
  }

  @Test
  void exifThatIsNoneTurnsNothing() {
    for (String exif :
        List.of(
            "", "Exif\0\0", "Exif\0\0MM\0*\0\0\0\u0008\0\u0001", "II*\0\u00FF\u00FF\u00FF\u00FF")) {
      byte[] bytes = exif.getBytes(StandardCharsets.ISO_8859_1);
      Bitmap image = Bitmap.black(3, 2, 3);
      assertThat(Orientation.of(bytes).turned(image)).isSameAs(image);
    }
  }

  private static int largestDifference(Bitmap one, Bitmap other) {
    int largest = 0;
    for (int i = 0; i < one.values().length; i++) {
      largest = Math.max(largest, Math.abs((one.values()[i] & 0xFF) - (other.values()[i] & 0xFF)));
    }
    return largest;
  }

  private static Bitmap expected(String name) {
    try (FileWeights tensors = FileWeights.openFile(FOLDER.resolve("pixels.safetensors"), null);
        NDManager manager = Torch.newManager()) {
      long[] shape = tensors.shape(name); // (H, W, 3)
      ByteBuffer memory = Torch.memory(tensors.get(manager, name, shape));
      byte[] bytes = new byte[memory.remaining()];
      memory.get(bytes);
      return new Bitmap((int) shape[1], (int) shape[0], (int) shape[2], bytes);
    }
  }
}
