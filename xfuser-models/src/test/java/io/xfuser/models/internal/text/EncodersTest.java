package io.xfuser.models.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext;
import io.xfuser.weights.LoadOptions;
import io.xfuser.weights.Share;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** CLIP, BERT, mT5 and UMT5 against transformers; T5 has a test of its own. */
class EncodersTest {
  private static final int LAYERS = 3;
  private static final double EXACT = 1e-5;

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
  @ValueSource(strings = {"clip_l", "clip_g"})
  void clipPoolsAndKeepsEveryHiddenStateAsTransformers(String name) {
    NDArray ids = read(name, "ids");
    try (ClipTextEncoder encoder = clip(name, ElementType.FLOAT32)) {
      NDArray pooled = read(name, "float32.pooled");
      assertThat(difference(encoder.pooled(manager, TextInput.of(ids)), pooled)).isLessThan(EXACT);
      assertThat(pooled.getShape().get(1)).isEqualTo(encoder.pooledWidth());
      for (int i = 0; i <= LAYERS; i++) {
        NDArray hidden = read(name, "float32.hidden." + i);
        for (int index : new int[] {i, i - LAYERS - 1}) {
          TextOutput output = encoder.layer(manager, TextInput.of(ids), index);
          assertThat(difference(output.hidden(), hidden)).isLessThan(EXACT);
          assertThat(difference(output.pooled(), pooled)).isLessThan(EXACT);
          assertThat(difference(encoder.hidden(manager, ids, index), hidden)).isLessThan(EXACT);
        }
      }
    }
  }

  @Test
  void thePoolingPlaceIsTheHighestIdOnlyInOldConfigurations(@TempDir Path directory)
      throws IOException {
    NDArray ids = read("clip_g", "ids");
    copy("clip_g", directory, "\"eos_token_id\": 40", "\"eos_token_id\": 2", n -> n);
    try (ClipTextEncoder old =
        ClipTextEncoder.openWithProjection(
            EncoderFolder.of(directory, LoadOptions.of(ElementType.FLOAT32)))) {
      assertThat(
              difference(old.pooled(manager, TextInput.of(ids)), read("clip_g", "float32.pooled")))
          .isGreaterThan(0.01);
    }
  }

  // A step of bf16 is 2^-8, one of fp16 2^-11; some tens of roundings, at places that differ where
  // this CPU multiplies half precision in fp32, add up to a few steps of the largest value.
  @ParameterizedTest
  @CsvSource({
    "clip_l, BFLOAT16, 0.02", "clip_l, FLOAT16, 2.5e-3",
    "clip_g, BFLOAT16, 0.02", "clip_g, FLOAT16, 2.5e-3"
  })
  void clipInHalfPrecisionIsTransformersInTheSameType(
      String name, ElementType type, double tolerance) {
    try (ClipTextEncoder encoder = clip(name, type)) {
      TextOutput output = encoder.layer(manager, TextInput.of(read(name, "ids")), -2);
      assertThat(ElementType.of(output.hidden())).isEqualTo(type);
      assertThat(ElementType.of(output.pooled())).isEqualTo(type);
      String prefix = type.torchName();
      assertThat(relative(output.hidden(), read(name, prefix + ".hidden.2"))).isLessThan(tolerance);
      assertThat(relative(output.pooled(), read(name, prefix + ".pooled"))).isLessThan(tolerance);
    }
  }

  @Test
  void bertHidesPaddingAsTransformers() {
    NDArray ids = read("bert", "ids");
    try (BertEncoder encoder = bert(ElementType.FLOAT32)) {
      NDArray states = encoder.states(manager, masked(ids, read("bert", "mask")));
      assertThat(difference(states, read("bert", "float32.states"))).isLessThan(EXACT);
      NDArray whole = encoder.states(manager, TextInput.of(ids));
      assertThat(difference(whole, read("bert", "unmasked"))).isLessThan(EXACT);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"mt5", "umt5"})
  void kinOfT5NeedNoMask(String name) {
    NDArray ids = read(name, "ids");
    try (T5Encoder encoder =
        T5Encoder.open(
            EncoderFolder.of(folder(name), LoadOptions.of(ElementType.FLOAT32)), Share.WHOLE)) {
      NDArray states = encoder.states(manager, masked(ids, read(name, "mask")));
      assertThat(difference(states, read(name, "float32.states"))).isLessThan(EXACT);
      NDArray whole = encoder.states(manager, TextInput.of(ids));
      assertThat(difference(whole, read(name, "unmasked"))).isLessThan(EXACT);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "bert, BFLOAT16, 0.02",
    "bert, FLOAT16, 2.5e-3",
    "mt5, BFLOAT16, 0.02",
    "mt5, FLOAT16, 2.5e-3",
    "umt5, BFLOAT16, 0.02",
    "umt5, FLOAT16, 2.5e-3"
  })
  void maskedEncodersInHalfPrecisionAreTransformersInTheSameType(
      String name, ElementType type, double tolerance) {
    NDArray ids = read(name, "ids");
    NDArray mask = read(name, "mask");
    try (BertEncoder bert = bert(type);
        T5Encoder mt5 =
            T5Encoder.open(EncoderFolder.of(folder("mt5"), LoadOptions.of(type)), Share.WHOLE);
        T5Encoder umt5 =
            T5Encoder.open(EncoderFolder.of(folder("umt5"), LoadOptions.of(type)), Share.WHOLE)) {
      TextModel encoder = name.equals("bert") ? bert : name.equals("mt5") ? mt5 : umt5;
      NDArray states = encoder.states(manager, masked(ids, mask));
      assertThat(ElementType.of(states)).isEqualTo(type);
      assertThat(relative(states, read(name, type.torchName() + ".states"))).isLessThan(tolerance);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = ElementType.class,
      names = {"FLOAT32", "BFLOAT16"})
  void weightsThatAreNotNeededAreNotLoaded(ElementType type) {
    long layer = 4 * (16 * 16 + 16) + 2 * 28 * 16 + 28 + 16 + 4 * 16;
    long clip = (60 + 77) * 16 + LAYERS * layer + 2 * 16;
    long bert = (60 + 77 + 2) * 16 + 2 * 16 + 2 * layer;
    Path projecting = folder("clip_g");
    try (ClipTextEncoder plain =
            ClipTextEncoder.open(EncoderFolder.of(projecting, LoadOptions.of(type)));
        ClipTextEncoder projected = clip("clip_g", type);
        BertEncoder other = bert(type)) {
      assertThat(plain.parameterBytes()).isEqualTo(clip * type.bytes());
      assertThat(projected.parameterBytes()).isEqualTo((clip + 12 * 16) * type.bytes());
      assertThat(other.parameterBytes()).isEqualTo(bert * type.bytes());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "clip_l | \"quick_gelu\" | \"relu\" | hidden_act \"relu\" is not supported",
        "clip_l | \"num_attention_heads\": 2 | \"num_attention_heads\": 3 | 3 heads over width 16",
        "clip_l | \"hidden_size\": 16, | '' | token_embedding.weight\" has the shape [60, 16], but"
            + " the model needs [60, 512]",
        "clip_l | \"vocab_size\": 60 | \"vocab_size\": 61 | token_embedding.weight",
        "bert | \"absolute\" | \"relative_key\" | position_embedding_type \"relative_key\"",
        "bert | \"intermediate_size\": 28 | \"intermediate_size\": 29 | intermediate.dense.weight",
        "mt5 | \"model_type\": \"mt5\" | \"model_type\": \"longt5\" | model_type \"longt5\" is not",
        "mt5 | \"model_type\": \"mt5\" | \"model_type\": \"umt5\" |"
            + " block.1.layer.0.SelfAttention.rel",
        "mt5 | \"d_kv\" | \"quantization_config\": {\"bits\": 8}, \"d_kv\" | quantized (8)",
        "bert | \"hidden_act\" | \"quantization_config\": {}, \"hidden_act\" | an unknown way",
        "bert | \"hidden_act\" | \"transformers_weights\": \"a\", \"hidden_act\" | is \"a\"",
      })
  void whatDoesNotFitIsNamed(
      String name, String setting, String other, String message, @TempDir Path directory)
      throws IOException {
    copy(name, directory, setting, other, n -> n);
    assertThatThrownBy(() -> openAny(name, directory).close())
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(directory.toString())
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource({
    "clip_l, text_model.final_layer_norm.bias",
    "clip_g, text_projection.weight",
    "bert, encoder.layer.1.output.LayerNorm.weight"
  })
  void aMissingTensorIsNamed(String name, String tensor, @TempDir Path directory)
      throws IOException {
    copy(name, directory, "", "", n -> n.equals(tensor) ? "" : n);
    assertThatThrownBy(() -> openAny(name, directory).close())
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("has no tensor \"" + tensor + "\"");
  }

  @Test
  void textsThatAreTooLongAndStatesThatAreNotThereAreRefused() {
    NDArray ids = manager.zeros(new Shape(1, 78), DataType.INT64);
    NDArray few = manager.zeros(new Shape(1, 4), DataType.INT64);
    try (ClipTextEncoder clip = clip("clip_l", ElementType.FLOAT32);
        BertEncoder bert = bert(ElementType.FLOAT32)) {
      assertThatThrownBy(() -> clip.pooled(manager, TextInput.of(ids)))
          .hasMessage("ids must be (texts, tokens) with at most 77 tokens, got (1, 78)");
      assertThatThrownBy(() -> bert.states(manager, masked(ids, ids)))
          .hasMessageContaining("(1, 78)");
      assertThatThrownBy(() -> bert.states(manager, masked(few, ids)))
          .hasMessageContaining("(1, 4) and (1, 78)");
      assertThatThrownBy(() -> clip.hidden(manager, few, -5))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("there is no hidden state -5 of 3 layers");
    }
  }

  private static TextInput masked(NDArray ids, NDArray mask) {
    return new TextInput(ids, mask, BlockContext.none(List.of()));
  }

  private static AutoCloseable openAny(String name, Path directory) {
    return switch (name) {
      case "bert" ->
          BertEncoder.open(EncoderFolder.of(directory, LoadOptions.of(ElementType.FLOAT32)));
      case "mt5" ->
          T5Encoder.open(
              EncoderFolder.of(directory, LoadOptions.of(ElementType.FLOAT32)), Share.WHOLE);
      case "clip_g" ->
          ClipTextEncoder.openWithProjection(
              EncoderFolder.of(directory, LoadOptions.of(ElementType.FLOAT32)));
      default ->
          ClipTextEncoder.open(EncoderFolder.of(directory, LoadOptions.of(ElementType.FLOAT32)));
    };
  }

  /** The directory with a setting replaced and tensors renamed; one named "" is left out. */
  private void copy(
      String name, Path directory, String setting, String other, UnaryOperator<String> rename)
      throws IOException {
    String config = Files.readString(folder(name).resolve("config.json"));
    assertThat(config).contains(setting);
    Files.writeString(directory.resolve("config.json"), config.replace(setting, other));
    Map<String, NDArray> tensors = new LinkedHashMap<>();
    try (FileWeights file = FileWeights.open(folder(name), "model", ElementType.FLOAT32)) {
      for (String tensor : file.names()) {
        if (!rename.apply(tensor).isEmpty()) {
          tensors.put(rename.apply(tensor), file.get(manager, tensor, file.shape(tensor)));
        }
      }
    }
    SafeTensorsWriter.write(directory.resolve("model.safetensors"), tensors);
  }

  private static ClipTextEncoder clip(String name, ElementType type) {
    return name.equals("clip_g")
        ? ClipTextEncoder.openWithProjection(EncoderFolder.of(folder(name), LoadOptions.of(type)))
        : ClipTextEncoder.open(EncoderFolder.of(folder(name), LoadOptions.of(type)));
  }

  private static BertEncoder bert(ElementType type) {
    return BertEncoder.open(EncoderFolder.of(folder("bert"), LoadOptions.of(type)));
  }

  private static Path folder(String name) {
    return TextFixtures.path("encoders/" + name);
  }

  private NDArray read(String encoder, String name) {
    return TextFixtures.tensor(manager, folder(encoder).resolve("states.safetensors"), name);
  }

  private double difference(NDArray tensor, NDArray expected) {
    return TextFixtures.difference(manager, tensor, expected);
  }

  private double relative(NDArray tensor, NDArray expected) {
    return TextFixtures.relativeDifference(manager, tensor, expected);
  }
}
