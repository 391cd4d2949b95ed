package io.xfuser.internal.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.awt.image.BufferedImage;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ImageProcessorTest {
  private final NDManager manager = Torch.newManager();

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @AfterEach
  void close() {
    manager.close();
  }

  @Test
  void picturesAreThoseOfDiffusersWithHalvesRoundedToEven() throws URISyntaxException {
    NDArray expected = fixture("eight_bit"); // (B, H, W, 3)
    List<Image> images = ImageProcessor.toImages(fixture("pixels"));
    assertThat(images).hasSize(2);
    int[] values = expected.toUint8Array();
    int next = 0;
    for (Image image : images) {
      BufferedImage picture = (BufferedImage) image.getWrappedImage();
      assertThat(picture.getHeight()).isEqualTo(20);
      assertThat(picture.getWidth()).isEqualTo(12);
      for (int i = 0; i < 20 * 12; i++) {
        int rgb = picture.getRGB(i % 12, i / 12) & 0xFFFFFF;
        int wanted = values[next++] << 16 | values[next++] << 8 | values[next++];
        assertThat(rgb).as("position %d", i).isEqualTo(wanted);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT16", "BFLOAT16"})
  void everyElementTypeMakesPictures(ElementType type) {
    NDArray grey = Torch.cast(manager, manager.zeros(new Shape(1, 3, 2, 2)), type);
    BufferedImage picture = (BufferedImage) ImageProcessor.toImages(grey).get(0).getWrappedImage();
    assertThat(picture.getRGB(1, 1) & 0xFFFFFF).isEqualTo(0x808080);
  }

  @Test
  void brightnessIsClampedBetweenZeroAndOne() {
    NDArray pixels = manager.create(new float[] {-3, -1, 0, 0.5f, 1, 3});
    assertThat(ImageProcessor.denormalize(manager, pixels).toFloatArray())
        .containsExactly(0, 0, 0.5f, 0.75f, 1, 1);
  }

  @Test
  void valuesThatAreNoNumbersOrInfiniteAreCounted() {
    NDArray pixels =
        manager.create(new float[] {0, Float.NaN, 1e38f, Float.NEGATIVE_INFINITY, Float.NaN});
    assertThat(ImageProcessor.notFinite(manager, pixels)).isEqualTo(3);
  }

  @ParameterizedTest
  @CsvSource({"37,24", "11,5", "20,9", "13,30"})
  void sizesAreReachedAsPixArtsProcessorDoes(int height, int width) throws URISyntaxException {
    NDArray expected = fixture(height + "x" + width);
    NDArray resized = ImageProcessor.resizeAndCrop(manager, fixture("pixels"), width, height);
    assertThat(resized.getShape()).isEqualTo(new Shape(2, 3, height, width));
    float[] wanted = expected.toFloatArray();
    float[] got = resized.toFloatArray();
    for (int i = 0; i < wanted.length; i++) {
      assertThat(Math.abs(got[i] - wanted[i])).isLessThan(1e-6f);
    }
  }

  @Test
  void aPictureThatHasItsSizeIsNotChanged() throws URISyntaxException {
    NDArray pixels = fixture("pixels");
    assertThat(ImageProcessor.resizeAndCrop(manager, pixels, 12, 20).toFloatArray())
        .isEqualTo(pixels.toFloatArray());
  }

  @Test
  void roundingNeverLeavesFewerColumnsThanWereAskedFor() {
    NDArray pixels = manager.ones(new Shape(1, 3, 4, 304));
    assertThat(ImageProcessor.resizeAndCrop(manager, pixels, 424, 5).getShape())
        .isEqualTo(new Shape(1, 3, 5, 424));
  }

  @Test
  void whatIsNoPictureIsRejectedWithItsShape() {
    NDArray grey = manager.ones(new Shape(2, 1, 4, 6));
    assertThatThrownBy(() -> ImageProcessor.toImages(grey))
        .hasMessage("pixels (2, 1, 4, 6) are not (batch, 3, rows, columns)");
    NDArray pixels = manager.ones(new Shape(2, 3, 4, 6));
    assertThatThrownBy(() -> ImageProcessor.resizeAndCrop(manager, pixels, 8, 0))
        .hasMessage("pictures cannot be resized to 0 × 8 (height × width)");
  }

  private NDArray fixture(String name) throws URISyntaxException {
    Path file =
        Path.of(
            Objects.requireNonNull(
                    ImageProcessorTest.class.getResource("/fixtures/images/images.safetensors"))
                .toURI());
    try (FileWeights tensors = FileWeights.openFile(file, null)) {
      return tensors.get(manager, name, tensors.shape(name));
    }
  }
}
