package io.xfuser.models.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.LoadOptions;
import io.xfuser.weights.Share;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Checkpoints of larger models, and of older programs, hold the same encoder. That transformers
 * 4.57 reads each of these files to equal states was tried with it; it draws those that are refused
 * here with weights that it makes up.
 */
class CheckpointNamesTest {
  private static final LoadOptions FLOATS = LoadOptions.of(ElementType.FLOAT32);

  @TempDir Path directory;
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

  @ParameterizedTest
  @CsvSource({
    "clip_l, '', '', vision_model.embeddings.class_embedding logit_scale visual_projection.weight",
    "clip_g, '', '', text_model.embeddings.position_ids vision_model.post_layernorm.bias",
    "clip_l, ^, clip., logit_scale clip.vision_model.a text_model.final_layer_norm.weight",
    "bert, ^, bert., cls.predictions.bias bert.pooler.dense.weight",
    "bert, LayerNorm.weight, LayerNorm.gamma, cls.seq_relationship.bias",
    "bert, LayerNorm.bias, LayerNorm.beta, batch_norm.num_batches_tracked",
    "mt5, ^, transformer., classifier.weight",
    "mt5, ^shared.weight, encoder.embed_tokens.weight, final_logits_bias lm_head.weight",
    "mt5, '', '', decoder.block.0.layer.0.SelfAttention.q.weight decoder.final_layer_norm.weight"
  })
  void theEncoderIsFoundAmongOtherTensors(String name, String from, String to, String others)
      throws IOException {
    write(name, tensor -> tensor.replaceFirst(from, to), others.split(" ", -1));
    Files.copy(folder(name).resolve("config.json"), directory.resolve("config.json"));
    assertEqualStates(name);
  }

  /** But for rounding: a matrix at another place in its file may be multiplied in another order. */
  private void assertEqualStates(String name) {
    assertThat(states(name, directory)).containsExactly(states(name, folder(name)), offset(1e-5f));
  }

  @ParameterizedTest
  @CsvSource({"clip_l", "clip_g"})
  void theSettingsOfAWholeClipAreReadInItsTextConfig(String name) throws IOException {
    String text = Files.readString(folder(name).resolve("config.json"));
    write(name, n -> n, "vision_model.a");
    Files.writeString(
        directory.resolve("config.json"),
        """
        {"model_type": "clip", "projection_dim": 99, "hidden_size": 7, "vision_config": {"a": 1},
         "text_config": %s}
        """
            .formatted(text));
    assertEqualStates(name);
  }

  @Test
  void theSettingsOfALargerModelAreReadWhereTheirTypeIs() throws IOException {
    String text = Files.readString(folder("mt5").resolve("config.json"));
    write("mt5", n -> n);
    Files.writeString(
        directory.resolve("config.json"),
        "{\"model_type\": \"pair\", \"d_model\": 7, \"text_encoder\": " + text + "}");
    EncoderFolder folder = EncoderFolder.of(directory, FLOATS);
    EncoderFolder named = folder.ofClass("MT5EncoderModel");
    try (T5Encoder mt5 = T5Encoder.open(named, Share.WHOLE)) {
      NDArray ids = manager.create(new long[] {1, 5}, new Shape(1, 2));
      assertThat(mt5.states(manager, TextInput.of(ids)).getShape()).isEqualTo(new Shape(1, 2, 16));
    }
  }

  @Test
  void aPrefixThatNoLoaderTakesAwayLeavesTensorsMissing() throws IOException {
    write("clip_l", tensor -> tensor.replace("text_model.", ""));
    Files.copy(folder("clip_l").resolve("config.json"), directory.resolve("config.json"));
    assertThatThrownBy(() -> ClipTextEncoder.open(EncoderFolder.of(directory, FLOATS)))
        .hasMessageContaining("has no tensor \"text_model.embeddings.token_embedding.weight\"");
  }

  private float[] states(String name, Path from) {
    NDArray ids = manager.create(new long[] {1, 5, 7, 2, 2}, new Shape(1, 5));
    return switch (name) {
      case "bert" -> {
        try (BertEncoder bert = BertEncoder.open(EncoderFolder.of(from, FLOATS))) {
          yield bert.states(manager, TextInput.of(ids)).toFloatArray();
        }
      }
      case "mt5" -> {
        try (T5Encoder mt5 = T5Encoder.open(EncoderFolder.of(from, FLOATS), Share.WHOLE)) {
          yield mt5.states(manager, TextInput.of(ids)).toFloatArray();
        }
      }
      case "clip_g" -> {
        try (ClipTextEncoder clip =
            ClipTextEncoder.openWithProjection(EncoderFolder.of(from, FLOATS))) {
          yield clip.pooled(manager, TextInput.of(ids)).toFloatArray();
        }
      }
      default -> {
        try (ClipTextEncoder clip = ClipTextEncoder.open(EncoderFolder.of(from, FLOATS))) {
          yield clip.pooled(manager, TextInput.of(ids)).toFloatArray();
        }
      }
    };
  }

  /** The weights of {@code name} by other names, and {@code others}, which hold integers. */
  private void write(String name, UnaryOperator<String> rename, String... others)
      throws IOException {
    Map<String, NDArray> tensors = new LinkedHashMap<>();
    try (FileWeights file = FileWeights.open(folder(name), "model", ElementType.FLOAT32)) {
      for (String tensor : file.names()) {
        tensors.put(rename.apply(tensor), file.get(manager, tensor, file.shape(tensor)));
      }
    }
    for (String other : others) {
      tensors.put(other, manager.create(new long[] {1, 2}));
    }
    SafeTensorsWriter.write(directory.resolve("model.safetensors"), tensors);
  }

  private static Path folder(String name) {
    return TextFixtures.path("encoders/" + name);
  }
}
