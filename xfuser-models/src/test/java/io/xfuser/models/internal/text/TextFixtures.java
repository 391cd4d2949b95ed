package io.xfuser.models.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Objects;

/** The files that scripts/fixtures/make.py wrote. */
final class TextFixtures {
  private TextFixtures() {}

  static Path path(String name) {
    try {
      return Path.of(
          Objects.requireNonNull(TextFixtures.class.getResource("/fixtures/" + name), name)
              .toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  static JsonNode json(String name) {
    try {
      return new ObjectMapper().readTree(path(name).toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The tensor {@code name} of {@code file}. */
  static NDArray tensor(NDManager owner, Path file, String name) {
    try (FileWeights tensors = FileWeights.openFile(file, null)) {
      return tensors.get(owner, name, tensors.shape(name));
    }
  }

  /** The largest absolute difference, of tensors in any type. */
  static double difference(NDManager manager, NDArray tensor, NDArray expected) {
    assertThat(tensor.getShape()).isEqualTo(expected.getShape());
    float[] got = Torch.cast(manager, tensor, ElementType.FLOAT32).toFloatArray();
    float[] wanted = expected.toFloatArray();
    double difference = 0;
    for (int i = 0; i < wanted.length; i++) {
      assertThat(got[i]).isFinite();
      difference = Math.max(difference, Math.abs(got[i] - wanted[i]));
    }
    return difference;
  }

  /** The same, divided by the largest absolute value expected. */
  static double relativeDifference(NDManager manager, NDArray tensor, NDArray expected) {
    double largest = 0;
    for (float value : expected.toFloatArray()) {
      largest = Math.max(largest, Math.abs(value));
    }
    return difference(manager, tensor, expected) / largest;
  }
}
