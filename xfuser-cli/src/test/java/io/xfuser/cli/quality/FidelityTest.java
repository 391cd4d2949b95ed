package io.xfuser.cli.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.torchscript.Torch;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class FidelityTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures/quality");

  @Test
  void figuresAreThoseOfScikitImage() throws IOException {
    JsonNode cases = new ObjectMapper().readTree(FIXTURES.resolve("figures.json").toFile());
    assertThat(cases).hasSize(6);
    try (NDManager manager = Torch.newManager();
        FileWeights tensors =
            FileWeights.openFile(FIXTURES.resolve("pictures.safetensors"), null)) {
      for (JsonNode one : cases) {
        String name = one.get("name").asText();
        Fidelity found =
            Fidelity.of(
                picture(manager, tensors, name + ".reference"),
                picture(manager, tensors, name + ".picture"));
        double psnr =
            one.get("psnr").isNull() ? Double.POSITIVE_INFINITY : one.get("psnr").asDouble();
        assertThat(found.ssim()).as(name).isCloseTo(one.get("ssim").asDouble(), within(1e-9));
        assertThat(found.psnr()).as(name).isCloseTo(psnr, within(1e-9));
        assertThat(found.largestDifference())
            .as(name)
            .isCloseTo(one.get("largest_difference").asDouble(), within(1e-12));
      }
    }
  }

  private static BufferedImage picture(NDManager manager, FileWeights tensors, String name) {
    NDArray values = tensors.get(manager, name, tensors.shape(name)); // (H, W, 3)
    int width = (int) values.getShape().get(1);
    int height = (int) values.getShape().get(0);
    int[] channels = values.toUint8Array();
    BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < width * height; i++) {
      int color = channels[3 * i] << 16 | channels[3 * i + 1] << 8 | channels[3 * i + 2];
      picture.setRGB(i % width, i / width, color);
    }
    return picture;
  }

  @Test
  void sizesThatCannotBeComparedAreRejected() {
    BufferedImage picture = new BufferedImage(20, 10, BufferedImage.TYPE_INT_RGB);
    BufferedImage other = new BufferedImage(20, 11, BufferedImage.TYPE_INT_RGB);
    assertThatThrownBy(() -> Fidelity.of(picture, other))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a picture of 20×11 pixels cannot be compared with one of 20×10");
    assertThatThrownBy(() -> Fidelity.of(picture, picture))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a picture of 20×10 pixels is smaller than the window of SSIM, 11×11");
  }
}
