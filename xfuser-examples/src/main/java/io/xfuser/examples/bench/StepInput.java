package io.xfuser.examples.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.LatentShape;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.torchscript.Torch;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * What one denoising step is given.
 *
 * @param latents (B, c, h, w), (B, c, F, h, w) or (B, F, c, h, w)
 * @param text the text encoder's tensors by their names in this project, dimension 0 is B
 */
record StepInput(NDArray latents, Map<String, NDArray> text) {
  private static final String LATENTS = "latents";
  private static final String TEXT = "text.";

  /** Reads a file with {@code latents} and {@code text.<name>}; {@code owner} owns the tensors. */
  static StepInput read(NDManager owner, Path file) {
    try (FileWeights tensors = FileWeights.openFile(file, null)) {
      Map<String, NDArray> text = new TreeMap<>();
      for (String name : tensors.names()) {
        if (name.startsWith(TEXT)) {
          text.put(name.substring(TEXT.length()), get(owner, tensors, name));
        }
      }
      return new StepInput(get(owner, tensors, LATENTS), text);
    }
  }

  /** h. */
  int height() {
    return size(-2);
  }

  /** w. */
  int width() {
    return size(-1);
  }

  /** F, of latents laid out so. */
  int frames(LatentShape.Layout layout) {
    return size(layout == LatentShape.Layout.CLIP ? -4 : -3);
  }

  private int size(int dim) {
    long[] sizes = latents.getShape().getShape();
    return Math.toIntExact(sizes[sizes.length + dim]);
  }

  /**
   * The same with another owner, for another thread: the texts on {@code device}, the latents on
   * the CPU, where tokens are chosen.
   */
  StepInput on(NDManager owner, Device device) {
    Map<String, NDArray> copies = new TreeMap<>();
    text.forEach((name, tensor) -> copies.put(name, Torch.to(owner, tensor, device)));
    return new StepInput(Torch.alias(owner, latents), copies);
  }

  private static NDArray get(NDManager owner, FileWeights tensors, String name) {
    return tensors.get(owner, name, tensors.shape(name));
  }
}
