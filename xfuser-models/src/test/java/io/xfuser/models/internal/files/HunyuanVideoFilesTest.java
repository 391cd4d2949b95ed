package io.xfuser.models.internal.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.internal.weights.Checkpoint;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** HunyuanVideo 1.5 as ComfyUI splits it, by the names of its authors and by ComfyUI's. */
class HunyuanVideoFilesTest {
  private static final Path TINY = OneFile.directory("hunyuanvideo15_tiny");
  private static final String LARGE = "hunyuanvideo1.5_720p_t2v_fp16";

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

  /** The second one's bytes need no tokenizer's files. */
  @ParameterizedTest
  @CsvSource({
    "hunyuanvideo15_tiny, safetensors",
    "hunyuanvideo15_comfyui, safetensors",
    "hunyuanvideo15_comfyui, gguf"
  })
  void filesDrawWhatTheirDirectoryDraws(String table, String format) throws IOException {
    DirectoryCopy directory = DirectoryCopy.of(TINY, files.resolve("directory"));
    directory.rewrite("scheduler/scheduler_config.json", "\"shift\": 7.0", "\"shift\": 9.0");
    OneFile file = new OneFile(manager).add(TINY.resolve("transformer"), table, "");
    Path transformer =
        format.equals("gguf")
            ? GgufWriter.write(files.resolve(LARGE + ".gguf"), "hyvid", file.tensors())
            : file.write(files.resolve(LARGE + ".safetensors"));
    Path vae =
        new OneFile(manager)
            .add(TINY.resolve("vae"), "hunyuanvideo15_vae", "")
            .write(files.resolve("hunyuanvideo15_vae_fp16.safetensors"));
    Path bytes =
        new OneFile(manager)
            .add(TINY.resolve("text_encoder_2"), "")
            .write(files.resolve("byt5_small_glyphxl_fp16.safetensors"));
    ModelConfig single =
        ModelConfig.builder(transformer)
            .part("vae", vae)
            .part("text_encoder", TINY.resolve("text_encoder"))
            .part("tokenizer", TINY.resolve("tokenizer"))
            .part("text_encoder_2", bytes)
            .build();
    try (Generation expected = draw(ModelConfig.builder(directory.directory()).build());
        Generation found = draw(single)) {
      assertThat(Pixels.largestDifference(found.tensor(), expected.tensor())).isZero();
    }
  }

  private static Generation draw(ModelConfig model) {
    return OneFile.drawWhole(
        model, InputConfig.builder("a sign that says \"fox\"").size(32, 48).numFrames(5));
  }

  @Test
  void shapesTellTheSettingsOfTheDirectory() throws IOException {
    Checkpoint.Found transformer = only("transformer", "hunyuanvideo15_tiny");
    requireSettings(
        transformer,
        "transformer",
        List.of(
            "num_layers",
            "num_refiner_layers",
            "num_attention_heads",
            "attention_head_dim",
            "in_channels",
            "out_channels",
            "text_embed_dim",
            "text_embed_2_dim",
            "image_embed_dim"));
    assertThat(transformer.format().config(transformer.tensors()))
        .containsEntry("rope_axes_dim", List.of(4, 2, 2));
    requireSettings(
        only("vae", "hunyuanvideo15_vae"),
        "vae",
        List.of(
            "latent_channels",
            "layers_per_block",
            "spatial_compression_ratio",
            "temporal_compression_ratio"));
  }

  private Checkpoint.Found only(String component, String table) throws IOException {
    Path file =
        new OneFile(manager)
            .add(TINY.resolve(component), table, "")
            .write(files.resolve(component + ".safetensors"));
    return OneFile.only(file);
  }

  private static void requireSettings(
      Checkpoint.Found found, String component, List<String> names) {
    ComponentConfig settings = ComponentConfig.read(TINY.resolve(component + "/config.json"));
    Map<String, Object> config = found.format().config(found.tensors());
    for (String name : names) {
      assertThat(config).containsEntry(name, settings.getInt(name, -1));
    }
  }

  @Test
  void whatIsMissingIsNamed() throws IOException {
    Path file = written("hunyuanvideo1.5_480p_t2v_cfg_distilled_fp8_scaled");
    assertThat(new SingleFiles().inspect(file, Map.of()))
        .containsEntry("is", "a HunyuanVideo 1.5 transformer")
        .containsEntry("pipeline", "HunyuanVideo15Pipeline")
        .containsEntry("missing", List.of("vae", "text_encoder", "text_encoder_2"));
  }

  @Test
  void whatBeginsWithAPictureIsRefusedByName() throws IOException {
    Path file = written("hunyuanvideo1.5_720p_i2v_fp16");
    ModelConfig model = OneFile.beside(file, TINY).build();
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(model))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("HunyuanVideo15ImageToVideoPipeline");
  }

  /** As the authors and others publish them. */
  @ParameterizedTest
  @CsvSource({
    "480p_t2v/diffusion_pytorch_model, 640, 5, 6, HunyuanVideo15Pipeline",
    "480p_t2v_distilled/diffusion_pytorch_model, 640, 5, 1, HunyuanVideo15Pipeline",
    "480p_i2v_step_distilled/x, 640, 5, 1, HunyuanVideo15ImageToVideoPipeline",
    "720p_t2v/diffusion_pytorch_model, 960, 9, 6, HunyuanVideo15Pipeline",
    "720p_i2v/diffusion_pytorch_model, 960, 7, 6, HunyuanVideo15ImageToVideoPipeline",
    "720p_i2v_distilled/x, 960, 7, 1, HunyuanVideo15ImageToVideoPipeline",
    "720p/HunyuanVideo-1.5_T2V, 960, 9, 6, HunyuanVideo15Pipeline",
    "720p_i2v_distilled/hunyuanvideo1.5_480p_t2v, 640, 5, 6, HunyuanVideo15Pipeline",
  })
  void aFileIsWhatItsNameOrItsFoldersSays(
      String name, int side, double shift, double guidance, String pipeline) throws IOException {
    Path file = written(name);
    Checkpoint.Found found = OneFile.only(file);
    ModelFormat format = (ModelFormat) found.format();
    assertThat(format.named(file)).containsEntry("target_size", side);
    assertThat(format.scheduler(found.tensors(), file)).containsEntry("shift", shift);
    assertThat(format.guider(file)).containsEntry("guidance_scale", guidance);
    assertThat(format.pipeline(found.tensors(), file)).isEqualTo(pipeline);
  }

  @ParameterizedTest
  @ValueSource(strings = {"transformer/model", "720p/model", "t2v/model_distilled"})
  void whatNoNameTellsIsAsked(String name) throws IOException {
    ModelConfig model = OneFile.beside(written(name), TINY).build();
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(model))
        .isInstanceOf(ModelException.class)
        .hasMessageEndingWith(
            "model%s.safetensors: its name, or its folder's, must say 480p or 720p, and t2v or i2v:"
                    .formatted(name.endsWith("distilled") ? "_distilled" : "")
                + " no tensor does");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "time_r_in.mlp.0.weight",
        "time_r_in.in_layer.weight",
        "time_embed.timestep_embedder_r.linear_1.weight"
      })
  void aSecondTimestepIsSeenByAnyOfItsNames(String name) throws IOException {
    OneFile file = new OneFile(manager).add(TINY.resolve("transformer"), "");
    Path plain = file.write(files.resolve("plain.safetensors"));
    file.tensors().put(name, manager.zeros(new Shape(48, 256)));
    Path distilled = file.write(files.resolve("distilled.safetensors"));
    assertThat(settings(plain)).containsEntry("use_meanflow", false);
    assertThat(settings(distilled)).containsEntry("use_meanflow", true);
  }

  private static Map<String, Object> settings(Path file) {
    Checkpoint.Found found = OneFile.only(file);
    return found.format().config(found.tensors());
  }

  private Path written(String name) throws IOException {
    Path file = files.resolve(name + ".safetensors");
    Files.createDirectories(file.getParent());
    return new OneFile(manager)
        .add(TINY.resolve("transformer"), "hunyuanvideo15_comfyui", "model.diffusion_model.")
        .write(file);
  }
}
