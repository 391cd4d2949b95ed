package io.xfuser.models.internal.files;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.internal.weights.Checkpoint;
import io.xfuser.pipeline.Generation;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QwenImageFilesTest {
  private static final Path TINY = OneFile.directory("qwenimage_tiny");

  @TempDir Path files;

  /** Published heads are 128 wide: how many of it turn with what, no shape tells. */
  @Test
  void aTransformerAndAnAutoencoderInFilesDrawWhatTheirDirectoryDraws() throws IOException {
    DirectoryCopy directory = DirectoryCopy.of(TINY, files.resolve("directory"));
    directory.rewrite(
        "transformer/config.json", "    2,\n    2,\n    4\n", "    4,\n    2,\n    2\n");
    Torch.prepareThread(1);
    try (NDManager manager = Torch.newManager()) {
      Path vae =
          new OneFile(manager)
              .add(TINY.resolve("vae"), "causal_vae", "")
              .write(files.resolve("qwen_image_vae.safetensors"));
      Path file =
          new OneFile(manager)
              .add(TINY.resolve("transformer"), "model.diffusion_model.")
              .write(files.resolve("qwen_image.safetensors"));
      ModelConfig single = OneFile.beside(file, TINY).build();
      ModelConfig mixed = ModelConfig.builder(directory.directory()).part("vae", vae).build();
      try (Generation expected = draw(ModelConfig.builder(directory.directory()).build());
          Generation ofOne = draw(single);
          Generation withVae = draw(mixed)) {
        assertThat(Pixels.largestDifference(ofOne.tensor(), expected.tensor())).isZero();
        assertThat(Pixels.largestDifference(withVae.tensor(), expected.tensor())).isZero();
      }
    }
  }

  private static Generation draw(ModelConfig model) {
    return OneFile.draw(model, InputConfig.builder("a fox").size(48, 64));
  }

  @ParameterizedTest
  @CsvSource({
    "qwen_image_fp8_e4m3fn, QwenImagePipeline",
    "qwen-image-2512-Q4_K_M, QwenImagePipeline",
    "Qwen_Image_Edit-Q4_K_M, QwenImageEditPipeline",
    "qwen_image_edit_2509_fp8_e4m3fn, QwenImageEditPlusPipeline",
    "Qwen-Image-Edit-2511, QwenImageEditPlusPipeline"
  })
  void whatEditsIsKnownByItsName(String name, String pipeline) throws IOException {
    Torch.prepareThread(1);
    try (NDManager manager = Torch.newManager()) {
      Path file =
          new OneFile(manager)
              .add(TINY.resolve("transformer"), "")
              .write(files.resolve(name + ".safetensors"));
      assertThat(new SingleFiles().inspect(file, Map.of()))
          .containsEntry("is", "a Qwen-Image transformer")
          .containsEntry("pipeline", pipeline)
          .containsEntry("missing", List.of("vae", "text_encoder"));
    }
  }

  /** ComfyUI marks 2511 and what is made of it. */
  @Test
  void whatIsMarkedEditsWhateverItsName() throws IOException {
    Torch.prepareThread(1);
    try (NDManager manager = Torch.newManager()) {
      OneFile marked =
          new OneFile(manager).add(TINY.resolve("transformer"), "model.diffusion_model.");
      marked
          .tensors()
          .put("model.diffusion_model.__index_timestep_zero__", manager.zeros(new Shape(1)));
      Path file = marked.write(files.resolve("Qwen-Rapid-AIO.safetensors"));
      assertThat(new SingleFiles().inspect(file, Map.of()))
          .containsEntry("pipeline", "QwenImageEditPlusPipeline");
      Checkpoint.Found found = Checkpoint.read(file).components().get(0);
      assertThat(found.format().config(found.tensors())).containsEntry("zero_cond_t", true);
    }
  }
}
