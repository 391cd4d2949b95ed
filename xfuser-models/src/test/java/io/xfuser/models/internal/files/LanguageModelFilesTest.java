package io.xfuser.models.internal.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.model.PipelineComponents;
import io.xfuser.models.internal.weights.Checkpoint.Found;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.Cut;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of language models are known by their names, older, newer and llama.cpp's. */
class LanguageModelFilesTest {
  /** Two heads of 128, one of keys and values; names as llama.cpp has them. */
  private static final Map<String, long[]> GGUF = new LinkedHashMap<>();

  /** Of the picture side, as transformers has them. */
  private static final Map<String, long[]> PICTURES = new LinkedHashMap<>();

  static {
    GGUF.put("token_embd.weight", new long[] {50, 256});
    GGUF.put("output_norm.weight", new long[] {256});
    for (int i = 0; i < 3; i++) {
      String block = "blk." + i + ".";
      GGUF.put(block + "attn_norm.weight", new long[] {256});
      GGUF.put(block + "attn_q.weight", new long[] {256, 256});
      GGUF.put(block + "attn_q.bias", new long[] {256});
      GGUF.put(block + "attn_k.weight", new long[] {128, 256});
      GGUF.put(block + "attn_output.weight", new long[] {256, 256});
      GGUF.put(block + "ffn_gate.weight", new long[] {24, 256});
    }
    PICTURES.put("visual.patch_embed.proj.weight", new long[] {48, 3, 2, 14, 14});
    PICTURES.put("visual.merger.mlp.0.weight", new long[] {192, 192});
    PICTURES.put("visual.merger.mlp.2.weight", new long[] {256, 192});
    PICTURES.put("visual.blocks.0.mlp.gate_proj.weight", new long[] {40, 48});
    PICTURES.put("visual.blocks.1.mlp.gate_proj.weight", new long[] {40, 48});
  }

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

  @Test
  void aTextSideOfLlamaCppsNamesHasTransformers() throws IOException {
    Path file = GgufWriter.write(files.resolve("x.gguf"), "qwen2vl", tensors(GGUF));
    Found found = OneFile.only(file);
    assertThat(found.format().title()).isEqualTo("a Qwen2.5-VL language model");
    assertThat(found.tensors().names())
        .hasSize(GGUF.size())
        .contains("model.embed_tokens.weight", "model.norm.weight")
        .contains("model.layers.2.self_attn.q_proj.bias", "model.layers.0.mlp.gate_proj.weight");
    assertThat(found.format().config(found.tensors()))
        .containsEntry("num_attention_heads", 2)
        .containsEntry("num_key_value_heads", 1)
        .containsEntry("num_hidden_layers", 3)
        .containsEntry("hidden_size", 256)
        .containsEntry("vocab_size", 50)
        .containsEntry("intermediate_size", 24)
        .doesNotContainKey("vision_config");
  }

  @ParameterizedTest
  @ValueSource(strings = {"older", "newer"})
  void aModelThatReadsPicturesHasTheSameSettingsByItsOlderAndItsNewerNames(String age)
      throws IOException {
    Path text = GgufWriter.write(files.resolve("x.gguf"), "qwen2vl", tensors(GGUF));
    Map<String, NDArray> tensors = new LinkedHashMap<>(tensors(PICTURES));
    OneFile.only(text)
        .tensors()
        .names()
        .forEach(
            name -> {
              String llama = name.replace("model.embed_tokens", "token_embd");
              long[] shape = GGUF.getOrDefault(llama, shape(name));
              tensors.put(name, manager.zeros(new Shape(shape)));
            });
    Map<String, NDArray> named = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) ->
            named.put(
                age.equals("older")
                    ? name
                    : name.startsWith("visual.")
                        ? "model." + name
                        : name.replaceFirst("^model\\.", "model.language_model."),
                tensor));
    Path file = files.resolve("x.safetensors");
    SafeTensorsWriter.write(file, named);
    Found found = OneFile.only(file);
    assertThat(found.tensors().names()).containsExactlyInAnyOrderElementsOf(tensors.keySet());
    Map<String, Object> config = found.format().config(found.tensors());
    assertThat(config).containsEntry("num_attention_heads", 2);
    assertThat(config.get("vision_config"))
        .isEqualTo(
            Map.of(
                "depth",
                2,
                "hidden_size",
                48,
                "num_heads",
                16,
                "intermediate_size",
                40,
                "patch_size",
                14,
                "temporal_patch_size",
                2,
                "spatial_merge_size",
                2,
                "out_hidden_size",
                256));
  }

  private static long[] shape(String name) {
    return name.contains("k_proj")
        ? new long[] {128, 256}
        : name.contains("gate_proj")
            ? new long[] {24, 256}
            : name.contains("_proj.weight") ? new long[] {256, 256} : new long[] {256};
  }

  @Test
  void qwen3InGgufHasTheSettingsOfItsDirectory() throws IOException {
    Path folder = OneFile.directory("zimage_tiny").resolve("text_encoder");
    OneFile file = new OneFile(manager).add(folder, "qwen3_gguf", "");
    Found found = OneFile.only(GgufWriter.write(files.resolve("x.gguf"), "qwen3", file.tensors()));
    assertThat(found.format().title()).isEqualTo("a Qwen3 language model");
    ComponentConfig settings = ComponentConfig.read(folder.resolve("config.json"));
    Map<String, Object> config = found.format().config(found.tensors());
    for (String name :
        List.of(
            "vocab_size",
            "hidden_size",
            "head_dim",
            "num_attention_heads",
            "num_key_value_heads",
            "num_hidden_layers",
            "intermediate_size")) {
      assertThat(config).containsEntry(name, settings.getInt(name, -1));
    }
  }

  /** Mistral Small's heads do not fill its width, as Llama's do. */
  @Test
  void mistralsQueriesAndKeysAreTakenOutOfLlamaCppsPairs() throws IOException {
    Map<String, NDArray> named = new LinkedHashMap<>();
    named.put("token_embd.weight", manager.zeros(new Shape(50, 320)));
    named.put("output_norm.weight", manager.ones(new Shape(320)));
    named.put("blk.0.attn_norm.weight", manager.ones(new Shape(320)));
    Map<String, NDArray> expected = new LinkedHashMap<>();
    for (String of : List.of("q", "k", "v")) {
      long heads = of.equals("q") ? 2 : 1;
      NDArray whole = manager.randomNormal(new Shape(heads * 128, 320));
      expected.put("model.layers.0.self_attn." + of + "_proj.weight", whole);
      named.put(
          "blk.0.attn_" + of + ".weight",
          of.equals("v")
              ? whole
              : whole // llama.cpp's LlamaModel.permute
                  .reshape(heads, 2, 64, 320)
                  .transpose(0, 2, 1, 3)
                  .reshape(heads * 128, 320));
    }
    named.put("blk.0.attn_output.weight", manager.zeros(new Shape(320, 256)));
    named.put("blk.0.ffn_gate.weight", manager.zeros(new Shape(24, 320)));
    Path file = GgufWriter.write(files.resolve("x.gguf"), "llama", named);
    Found found = OneFile.only(file);
    assertThat(found.format().title()).isEqualTo("a Mistral3 language model");
    assertThat(found.format().config(found.tensors()))
        .containsEntry("num_attention_heads", 2)
        .containsEntry("num_key_value_heads", 1)
        .containsEntry("head_dim", 128)
        .containsEntry("num_hidden_layers", 1);
    String name = "text_encoder";
    PipelineComponents components =
        new PipelineComponents(
            files,
            GivenPart.json(
                "x", Map.of(name, List.of("transformers", "Mistral3ForConditionalGeneration"))),
            LoadOptions.of(ElementType.FLOAT32),
            Map.of(name, GivenPart.of(name, file, Map.of())));
    try (ComponentWeights source = ComponentWeights.open(components, name)) {
      Weights weights = source.handedOut();
      expected.forEach(
          (tensor, whole) -> {
            long[] shape = whole.getShape().getShape();
            assertThat(weights.get(manager, tensor, shape)).as(tensor).isEqualTo(whole);
            for (Cut cut : List.of(new Cut(0, 70, 101), new Cut(1, 3, 7))) { // no whole heads
              NDArray part =
                  cut.dim() == 0
                      ? whole.get(new NDIndex("70:101"))
                      : whole.get(new NDIndex(":, 3:7"));
              assertThat(weights.get(manager, cut, tensor, shape)).as(tensor).isEqualTo(part);
            }
          });
    }
  }

  /** Rows of no heads, and what has no rows. */
  @ParameterizedTest
  @ValueSource(longs = {130, 0})
  void whatIsNoHeadsOfMistralIsNamed(long rows) throws IOException {
    Map<String, NDArray> named = new LinkedHashMap<>();
    named.put("blk.0.attn_norm.weight", manager.ones(new Shape(320)));
    named.put("blk.0.attn_q.weight", manager.zeros(new Shape(256, 320)));
    String name = "model.layers.0.self_attn.k_proj.x";
    named.put(name, manager.zeros(rows == 0 ? new Shape() : new Shape(rows, 320)));
    Path file = files.resolve("mistral.safetensors");
    SafeTensorsWriter.write(file, named);
    assertThatThrownBy(() -> OneFile.only(file))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith("%s: tensor \"%s\" has ".formatted(file, name))
        .hasMessageEndingWith(
            rows == 0 ? "the shape []" : rows + " rows, which are no heads of 128");
  }

  private Map<String, NDArray> tensors(Map<String, long[]> shapes) {
    Map<String, NDArray> tensors = new LinkedHashMap<>();
    shapes.forEach((name, shape) -> tensors.put(name, manager.zeros(new Shape(shape))));
    return tensors;
  }
}
