package io.xfuser.models.internal.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.internal.weights.Checkpoint;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Wan as ComfyUI splits it, by the names of its authors. */
class WanFilesTest {
  private static final Path TINY = OneFile.directory("wan_tiny");
  private static final Path PICTURES = OneFile.directory("wan_i2v_tiny");

  @TempDir Path files;

  /** Published heads are 128 wide, which no shape tells; a narrower transformer has one. */
  @Test
  void filesDrawWhatTheirDirectoryDraws() throws IOException {
    DirectoryCopy directory = DirectoryCopy.of(TINY, files.resolve("directory"));
    directory.rewrite(
        "transformer/config.json", "\"attention_head_dim\": 8", "\"attention_head_dim\": 48");
    directory.rewrite(
        "transformer/config.json", "\"num_attention_heads\": 6", "\"num_attention_heads\": 1");
    Path file = written(TINY, "wan_tiny", "wan2.1_t2v_1.3B");
    Torch.prepareThread(1);
    try (NDManager manager = Torch.newManager()) {
      Path text =
          new OneFile(manager)
              .add(TINY.resolve("text_encoder"), "")
              .write(files.resolve("umt5_xxl_fp16.safetensors"));
      requireEqual(
          directory.directory(), OneFile.beside(file, TINY).part("text_encoder", text).build());
    }
  }

  private static void requireEqual(Path directory, ModelConfig single) {
    try (Generation expected = draw(ModelConfig.builder(directory).build());
        Generation found = draw(single)) {
      assertThat(Pixels.largestDifference(found.tensor(), expected.tensor())).isZero();
    }
  }

  private static Generation draw(ModelConfig model) {
    return OneFile.draw(model, InputConfig.builder("a fox").size(32, 48).numFrames(5));
  }

  @Test
  void whatLooksAtPicturesHasDiffusersNamesAndSettings() throws IOException {
    Path file = written(PICTURES, "wan_i2v_tiny", "wan2.1_i2v_480p_14B");
    Checkpoint.Found found = Checkpoint.read(file).components().get(0);
    try (FileWeights weights =
        FileWeights.open(
            PICTURES.resolve("transformer"), "diffusion_pytorch_model", ElementType.FLOAT32)) {
      assertThat(found.tensors().names()).isEqualTo(weights.names());
    }
    assertThat(found.format().config(found.tensors()))
        .isEqualTo(
            Map.ofEntries(
                Map.entry("num_layers", 4),
                Map.entry("num_attention_heads", 1),
                Map.entry("attention_head_dim", 48),
                Map.entry("patch_size", List.of(1, 2, 2)),
                Map.entry("in_channels", 14),
                Map.entry("out_channels", 5),
                Map.entry("text_dim", 32),
                Map.entry("ffn_dim", 80),
                Map.entry("cross_attn_norm", true),
                Map.entry("image_dim", 32),
                Map.entry("added_kv_proj_dim", 48)));
  }

  @Test
  void whatIsMissingIsNamed() throws IOException {
    Path file = written(TINY, "wan_tiny", "wan2.1_t2v_14B_fp8_scaled");
    assertThat(new SingleFiles().inspect(file, Map.of()))
        .containsEntry("is", "a Wan transformer")
        .containsEntry("pipeline", "WanPipeline")
        .containsEntry("missing", List.of("vae", "text_encoder"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "wan2.2_t2v_high_noise_14B_fp8_scaled",
        "Wan2.2-T2V-A14B-LowNoise-Q4_K_M",
        "Wan2_2-T2V-A14B_HIGH_fp8_e4m3fn_scaled_KJ",
        "Wan2_2-I2V-A14B-LOW_bf16",
        "smoothMixWan22_i2vHigh"
      })
  void oneOfTwoTransformersLacksTheOther(String name) throws IOException {
    Path half = written(TINY, "wan_tiny", name);
    assertThat(new SingleFiles().inspect(half, Map.of()))
        .containsEntry("pipeline", "WanPipeline")
        .containsEntry("missing", List.of("transformer_2", "vae", "text_encoder"));
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(ModelConfig.builder(half).build()))
        .isInstanceOf(ModelException.class)
        .hasMessage(
            half
                + " is a Wan transformer alone: what is missing is given by transformer_2, vae,"
                + " text_encoder");
  }

  @Test
  void whatSeesPicturesLacksTheirEncoder() throws IOException {
    Path file = written(PICTURES, "wan_i2v_tiny", "wan2.1_i2v_480p_14B");
    assertThat(new SingleFiles().inspect(file, Map.of()))
        .containsEntry("pipeline", "WanImageToVideoPipeline")
        .containsEntry("missing", List.of("vae", "image_encoder", "text_encoder"));
    Path encoder = PICTURES.resolve("image_encoder");
    assertThat(new SingleFiles().inspect(file, Map.of("image_encoder", encoder)))
        .containsEntry("missing", List.of("vae", "text_encoder"));
  }

  /** Shapes of the published ones: huge, giant and large. */
  @ParameterizedTest
  @CsvSource({
    "1280, 32, 14, 257, 5120, 16, gelu",
    "1664, 48, 14, 257, 8192, 16, gelu",
    "1024, 24, 14, 257, 4096, 16, quick_gelu"
  })
  void anEncoderOfPicturesHasItsPublishedSettings(
      int width, int layers, int patch, int places, int neurons, int heads, String activation)
      throws IOException {
    Torch.prepareThread(1);
    Path file = files.resolve("clip_vision.safetensors");
    String model = "vision_model.";
    try (NDManager manager = Torch.newManager()) {
      Map<String, NDArray> tensors = new LinkedHashMap<>();
      tensors.put(model + "embeddings.class_embedding", manager.zeros(new Shape(width)));
      tensors.put(
          model + "embeddings.patch_embedding.weight",
          manager.zeros(new Shape(width, 3, patch, patch)));
      tensors.put(
          model + "embeddings.position_embedding.weight", manager.zeros(new Shape(places, width)));
      for (int i = 0; i < layers; i++) {
        tensors.put(
            model + "encoder.layers." + i + ".mlp.fc1.bias", manager.zeros(new Shape(neurons)));
      }
      SafeTensorsWriter.write(file, tensors);
    }
    Checkpoint.Found found = Checkpoint.read(file).components().get(0);
    assertThat(found.format().component()).isEqualTo("image_encoder");
    assertThat(found.format().config(found.tensors()))
        .containsEntry("num_attention_heads", heads)
        .containsEntry("hidden_act", activation)
        .containsEntry("image_size", 224)
        .containsEntry("patch_size", patch)
        .containsEntry("num_hidden_layers", layers)
        .containsEntry("intermediate_size", neurons)
        .containsEntry("hidden_size", width);
  }

  @ParameterizedTest
  @ValueSource(strings = {"wan2.2_t2v_rapid_aio_lowvram", "wan2.1_t2v_14B_low", "Wan2_2-flow"})
  void otherNamesAreOfATransformerAlone(String name) throws IOException {
    Path file = written(TINY, "wan_tiny", name);
    assertThat(new SingleFiles().inspect(file, Map.of())).containsEntry("pipeline", "WanPipeline");
  }

  private Path written(Path directory, String table, String name) throws IOException {
    Torch.prepareThread(1);
    try (NDManager manager = Torch.newManager()) {
      return new OneFile(manager)
          .add(directory.resolve("transformer"), table, "model.diffusion_model.")
          .write(files.resolve(name + ".safetensors"));
    }
  }
}
