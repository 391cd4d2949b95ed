package io.xfuser.models.internal.vae;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The committed autoencoders, and comparisons with diffusers' pixels. */
final class VaeFixtures {
  static final String FILE = "diffusion_pytorch_model.safetensors";

  private VaeFixtures() {}

  /** A folder or file of the fixtures. */
  static Path directory(String name) {
    URL resource = VaeFixtures.class.getResource("/fixtures/" + name);
    if (resource == null) {
      throw new IllegalArgumentException("no fixture " + name);
    }
    try {
      return Path.of(resource.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** All weights of an autoencoder, in their file's type. */
  static Map<String, NDArray> tensors(NDManager owner, Path vae) {
    Map<String, NDArray> tensors = new LinkedHashMap<>();
    try (FileWeights file = FileWeights.openFile(vae.resolve(FILE), null)) {
      file.names().forEach(name -> tensors.put(name, file.get(owner, name, file.shape(name))));
    }
    return tensors;
  }

  /** What fp16's convolution of a few rows at a time gives, which must be what fp32's gives. */
  static NDArray convolvedInChunks(
      NDManager owner, Program program, String function, NDArray x, Object... settings) {
    Map<String, NDArray> weights =
        Map.of(
            "conv.weight", owner.randomNormal(new Shape(3, 8, 3, 3)),
            "conv.bias", owner.randomNormal(new Shape(3)));
    NDArray half = Torch.cast(owner, x, ElementType.FLOAT16);
    NDArray same = Torch.cast(owner, half, ElementType.FLOAT32);
    List<Object> more = new ArrayList<>(List.of(weights));
    more.addAll(List.of(settings));
    more.add(0, half);
    NDArray chunks = program.call(owner, function, more.toArray());
    more.set(0, same);
    assertThat(ElementType.of(chunks)).isEqualTo(ElementType.FLOAT16);
    assertThat(relativeDifference(chunks, program.call(owner, function, more.toArray())))
        .isLessThan(1e-3);
    return chunks;
  }

  /** The largest difference, as a part of the largest expected value. */
  static double relativeDifference(NDArray tensor, NDArray expected) {
    try (NDManager scope = expected.getManager().newSubManager()) {
      return relativeDifference(
          Torch.cast(scope, tensor, ElementType.FLOAT32).toFloatArray(), expected.toFloatArray());
    }
  }

  /** The same of all elements in their order. */
  static double relativeDifference(float[] got, float[] wanted) {
    double difference = 0;
    double largest = 0;
    for (int i = 0; i < wanted.length; i++) {
      // Not Math.max, which would let a NaN be overtaken.
      if (!(Math.abs(got[i] - wanted[i]) <= difference)) {
        difference = Math.abs(got[i] - wanted[i]);
      }
      largest = Math.max(largest, Math.abs(wanted[i]));
    }
    return difference / largest;
  }
}
