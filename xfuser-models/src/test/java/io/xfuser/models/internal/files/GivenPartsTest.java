package io.xfuser.models.internal.files;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Placement;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is given in the place of another component is refused in one sentence that says so. */
class GivenPartsTest {
  private static final Path FLUX = OneFile.directory("flux_dev_tiny");
  private static final Path SD3 = OneFile.directory("sd3_tiny");

  @TempDir Path files;
  private NDManager manager;

  @BeforeEach
  void open() {
    Torch.prepareThread(1);
    manager = Torch.newManager();
  }

  @AfterEach
  void close() {
    manager.close();
  }

  private static void refused(ModelConfig.Builder model, String sentence) {
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(model.build()))
        .isInstanceOf(ModelException.class)
        .hasMessage(sentence);
  }

  @Test
  void aFolderOfAnotherComponentIsNamed() throws IOException {
    Path transformer = FLUX.resolve("transformer");
    String vae = "vae: " + transformer + " has a FluxTransformer2DModel";
    refused(ModelConfig.builder(FLUX).part("vae", transformer), vae);
    ModelConfig.Builder file =
        OneFile.alone(FLUX, "flux_dev_tiny", files.resolve("flux.safetensors"));
    refused(file.part("vae", transformer), vae);
    refused(
        ModelConfig.builder(FLUX).part("text_encoder", FLUX.resolve("vae")),
        "text_encoder: " + FLUX.resolve("vae") + " has an AutoencoderKL");
    refused(
        ModelConfig.builder(FLUX).part("text_encoder", FLUX.resolve("text_encoder_2")),
        "text_encoder: "
            + FLUX.resolve("text_encoder_2")
            + " has a T5EncoderModel, but the model takes a CLIPTextModel there");
    refused(
        OneFile.beside(files.resolve("flux.safetensors"), FLUX)
            .part("text_encoder_2", FLUX.resolve("text_encoder")),
        "text_encoder_2: "
            + FLUX.resolve("text_encoder")
            + " has a CLIPTextModel, but the model takes a T5EncoderModel there");
  }

  @Test
  void encodersInOneAnothersPlacesAreRefused() {
    refused(
        ModelConfig.builder(SD3)
            .part("text_encoder", SD3.resolve("text_encoder_2"))
            .part("text_encoder_2", SD3.resolve("text_encoder")),
        "text_encoder and text_encoder_2 stand in each other's place: projection_dim is 24 of the"
            + " first and 16 of the second");
  }

  @Test
  void aTensorOfAWrongShapeIsNamedAsTheFileHasIt() throws IOException {
    OneFile flux = new OneFile(manager).add(FLUX.resolve("transformer"), "flux_dev_tiny", "");
    NDArray bias = Objects.requireNonNull(flux.tensors().get("txt_in.bias"));
    NDArray wrong = Torch.slice(manager, bias, 0, 0, 3);
    flux.tensors().put("txt_in.bias", wrong);
    Path file = flux.write(files.resolve("flux.safetensors"));
    long width = bias.getShape().get(0);
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.fromPretrained(OneFile.beside(file, FLUX).build())) {
      assertThatThrownBy(() -> pipeline.model().transformer(Placement.CPU).conditioner())
          .isInstanceOf(ModelException.class)
          .hasMessage(
              "%s: tensor \"context_embedder.bias\" (\"txt_in.bias\" in the file) has the shape"
                      .formatted(file)
                  + " [3], but the model needs [%d]".formatted(width));
    }
  }
}
