package io.xfuser.models.internal.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.models.internal.weights.Checkpoint.Found;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Layouts of published files beside those of the models' authors. */
class OtherLayoutsTest {
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

  /** Newer versions of ComfyUI save the weights of norms as such. */
  @ParameterizedTest
  @ValueSource(strings = {"flux_dev_tiny", "flux2_tiny", "chroma_tiny"})
  void normsThatComfyUiHasRenamedAreTheSame(String model) throws IOException {
    Map<String, NDArray> authors = transformer(model);
    Map<String, NDArray> renamed = new LinkedHashMap<>();
    authors.forEach(
        (name, tensor) ->
            renamed.put(name.replaceFirst("(norm|norms\\.\\d+)\\.scale$", "$1.weight"), tensor));
    assertThat(renamed.keySet()).isNotEqualTo(authors.keySet());
    OneFile.requireAlike(written("a", authors), written("b", renamed));
  }

  /** Blocks of a transformer are no transformer with what a ControlNet has. */
  @ParameterizedTest
  @ValueSource(strings = {"flux_dev_tiny", "qwenimage_tiny", "sd3_tiny"})
  void aControlNetIsNoTransformer(String model) throws IOException {
    Map<String, NDArray> tensors =
        new OneFile(manager).add(OneFile.directory(model).resolve("transformer"), "").tensors();
    assertThat(OneFile.only(written("transformer", tensors)).format().component())
        .isEqualTo("transformer");
    tensors.put("controlnet_blocks.0.weight", manager.ones(new Shape(2, 2)));
    refused(written("control", tensors), "is a ControlNet, not a model that can be drawn with");
  }

  @ParameterizedTest
  @CsvSource({
    "vace_patch_embedding.weight",
    "casual_audio_encoder.weights",
    "motion_encoder.dec.direction.weight",
    "ref_conv.weight",
    "control_adapter.conv.weight"
  })
  void aWanThatSeesMoreIsNotTakenForOneThatDoesNot(String more) throws IOException {
    Map<String, NDArray> tensors = transformer("wan_tiny");
    tensors.put(more, manager.ones(new Shape(2, 2)));
    refused(
        written("wan", tensors),
        "is a Wan transformer that sees more than a text and pictures, not a model");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "transformer_blocks.0.mlp_fc1.wscales | a file of Nunchaku's weights of 4 bits",
        "redux_up.weight | a Flux Redux adapter",
        "image_proj.proj_in.weight | an IP-Adapter, which is taken as ip_adapter",
        "control_layers.0.attention.qkv.weight | a ControlNet",
        "decoder.layers.1.conv.0.weight | a tiny autoencoder, which is taken as a folder"
      })
  void whatGoesBesideAModelIsNamed(String name, String kind) throws IOException {
    Map<String, NDArray> tensors = new LinkedHashMap<>();
    tensors.put(name, manager.ones(new Shape(2, 2)));
    tensors.put("transformer_blocks.0.mlp_fc1.lora_down", manager.ones(new Shape(2, 2)));
    if (!kind.contains("Nunchaku")) {
      tensors.remove("transformer_blocks.0.mlp_fc1.lora_down");
    }
    refused(written("other", tensors), "is " + kind);
  }

  /** ComfyUI's layouts of 4 bits, and of 8 with an exponent for each block. */
  @ParameterizedTest
  @ValueSource(strings = {"nvfp4", "mxfp8"})
  void formatsOfBlocksAreRefusedByName(String format) throws IOException {
    Map<String, NDArray> tensors = transformer("flux_dev_tiny");
    String layer = "double_blocks.0.img_attn.qkv";
    Shape shape = Objects.requireNonNull(tensors.get(layer + ".weight")).getShape();
    tensors.put(layer + ".weight", bytes(shape.get(0), shape.get(1) / 2));
    tensors.put(layer + ".weight_scale", bytes(shape.get(0), Math.max(1, shape.get(1) / 32)));
    byte[] json = "{\"format\": \"%s\"}".formatted(format).getBytes(StandardCharsets.UTF_8);
    tensors.put(
        layer + ".comfy_quant",
        manager.create(json, new Shape(json.length)).toType(DataType.UINT8, false));
    refused(
        written("x", tensors),
        "\"%s.comfy_quant\" has the format \"%s\", which is not supported"
            .formatted(layer, format));
  }

  private NDArray bytes(long rows, long columns) {
    return manager.zeros(new Shape(rows, columns), DataType.UINT8);
  }

  /** An encoder that brings its vocabulary in the file of its weights, as ComfyUI's does. */
  @Test
  void anEncoderMayHaveItsVocabularyBesideIt() throws IOException {
    Map<String, NDArray> tensors =
        new OneFile(manager)
            .add(OneFile.directory("wan_tiny").resolve("text_encoder"), "")
            .tensors();
    Found alone = OneFile.only(written("a", tensors));
    tensors.put("spiece_model", bytes(10, 10));
    tensors.put("scaled_fp8", bytes(1, 2));
    Found found = OneFile.only(written("b", tensors));
    assertThat(found.format().title()).isEqualTo(alone.format().title());
    assertThat(found.format().config(found.tensors()))
        .isEqualTo(alone.format().config(alone.tensors()));
  }

  /** Kijai's files have the names of Wan's own module. */
  @Test
  void anEncoderMayHaveTheNamesOfWansModule() throws IOException {
    Path folder = OneFile.directory("wan_tiny").resolve("text_encoder");
    Path plain = written("a", new OneFile(manager).add(folder, "").tensors());
    OneFile file = new OneFile(manager).add(folder, "umt5_wan", "");
    assertThat(file.tensors()).containsKey("blocks.1.pos_embedding.embedding.weight");
    OneFile.requireAlike(plain, written("umt5-xxl-enc-bf16", file.tensors()));
  }

  /** Its heads are normed too. */
  @ParameterizedTest
  @ValueSource(strings = {"model.layers.0.pre_feedforward_layernorm", "blk.0.post_ffw_norm"})
  void gemmaIsNotTakenForQwen(String name) throws IOException {
    Path folder = OneFile.directory("zimage_tiny").resolve("text_encoder");
    String table = name.startsWith("blk") ? "qwen3_gguf" : "";
    OneFile file = new OneFile(manager);
    Map<String, NDArray> tensors =
        (table.isEmpty() ? file.add(folder, "model.") : file.add(folder, table, "")).tensors();
    OneFile.only(written("qwen", tensors));
    tensors.put(name + ".weight", manager.ones(new Shape(4)));
    refused(written("gemma", tensors), "is a language model, not a model that can be drawn with");
  }

  private Map<String, NDArray> transformer(String model) {
    return new OneFile(manager)
        .add(OneFile.directory(model).resolve("transformer"), model, "")
        .tensors();
  }

  private Path written(String name, Map<String, NDArray> tensors) throws IOException {
    Path file = files.resolve(name + ".safetensors");
    SafeTensorsWriter.write(file, tensors);
    return file;
  }

  private static void refused(Path file, String sentence) {
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(ModelConfig.builder(file).build()))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(sentence);
  }
}
