package io.xfuser.models.internal.files;

import ai.djl.ndarray.NDManager;
import io.xfuser.config.ModelConfig;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.models.contract.DiffusersParity;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;

/** Transformers in single files draw what the directories of the same tensors do. */
class SingleFileParityTest extends DiffusersParity {
  @TempDir static Path files;

  @Override
  protected List<String> pipelines() {
    return List.of(
        "flux_schnell_tiny",
        "flux_dev_tiny",
        "flux2_tiny",
        "flux2_klein_tiny",
        "sd35_medium_tiny",
        "sd35_large_tiny",
        "chroma_tiny",
        "zimage_tiny");
  }

  /** Only the way of the weights differs, which no prompt and no size changes. */
  @Override
  protected boolean everyCall() {
    return CoveringArray.ALL;
  }

  @Override
  protected ModelConfig model(Path directory) {
    String name = String.valueOf(directory.getFileName());
    Path file = files.resolve(name + "_base.safetensors"); // Flux.2's name tells that
    if (!Files.exists(file)) {
      Torch.prepareThread(1);
      try (NDManager manager = Torch.newManager()) {
        new OneFile(manager)
            .add(directory.resolve("transformer"), name, "model.diffusion_model.")
            .write(file);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return OneFile.beside(file, directory).build();
  }
}
