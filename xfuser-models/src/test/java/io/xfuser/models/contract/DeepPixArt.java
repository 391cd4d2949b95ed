package io.xfuser.models.contract;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.InputConfig;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A narrow PixArt-Σ with as many blocks and heads as the published ones, so that shares are as even
 * and blocks as dominant as theirs: the tiny pipeline, whose 9 blocks are there again and again.
 */
final class DeepPixArt {
  /** L. */
  static final int BLOCKS = 28;

  /** H, of 3 values each. */
  static final int HEADS = 16;

  /** C. */
  static final int WIDTH = 48;

  /** p, of 128 × 128 pixels. */
  static final int TOKENS = 64;

  private static final int TINY_BLOCKS = 9;
  private static final String PREFIX = "transformer_blocks.";

  private DeepPixArt() {}

  /** One picture with guidance, two rows. */
  static InputConfig input() {
    return InputConfig.builder("a red fox")
        .size(128, 128)
        .maxSequenceLength(20)
        .useResolutionBinning(false)
        .build();
  }

  /** Writes the pipeline to the empty {@code directory}. */
  static Path write(Path directory) throws IOException {
    DirectoryCopy copy = DirectoryCopy.of(Requests.directory("pixart_sigma_tiny"), directory);
    String config = "transformer/config.json";
    copy.rewrite(config, "\"num_layers\": " + TINY_BLOCKS, "\"num_layers\": " + BLOCKS);
    copy.rewrite(config, "\"num_attention_heads\": 6", "\"num_attention_heads\": " + HEADS);
    copy.rewrite(config, "\"attention_head_dim\": 8", "\"attention_head_dim\": " + WIDTH / HEADS);
    Path folder = directory.resolve("transformer");
    String base = "diffusion_pytorch_model";
    try (NDManager manager = Torch.newManager();
        FileWeights tiny = FileWeights.open(folder, base, ElementType.FLOAT32, null)) {
      Map<String, NDArray> tensors = new LinkedHashMap<>();
      for (String name : tiny.names()) {
        NDArray tensor = tiny.get(manager, name, tiny.shape(name));
        if (name.startsWith(PREFIX)) {
          String rest = name.substring(name.indexOf('.', PREFIX.length()));
          int own =
              Integer.parseInt(name.substring(PREFIX.length(), name.length() - rest.length()));
          for (int block = own; block < BLOCKS; block += TINY_BLOCKS) {
            tensors.put(PREFIX + block + rest, tensor);
          }
        } else {
          tensors.put(name, tensor);
        }
      }
      SafeTensorsWriter.write(folder.resolve(base + ".safetensors"), tensors);
    }
    Files.delete(folder.resolve(base + ".safetensors.index.json"));
    return directory;
  }
}
