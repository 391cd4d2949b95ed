package io.xfuser.models.internal.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Quantized weights are refused by the name of their quantization. */
class QuantizationTest {
  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'quant_method': 'bitsandbytes', 'load_in_4bit': true, 'load_in_8bit': false,"
            + " 'bnb_4bit_quant_type': 'nf4' | bitsandbytes nf4",
        "'load_in_8bit': true | bitsandbytes int8",
        "'quant_method': 'quanto', 'weights_dtype': 'float8' | quanto float8",
        "'quant_method': 'torchao', 'quant_type': 'int8wo' | torchao int8wo",
        "'quant_method': 'gptq', 'bits': 4 | gptq 4",
        "'quant_method': 'gguf', 'compute_dtype': 'float32' | gguf",
        "'config_groups': {} | in an unknown way"
      })
  void settingsAreNamed(String settings, String named) {
    String json = "{\"quantization_config\": {%s}}".formatted(settings.replace('\'', '"'));
    ComponentConfig config = ComponentConfig.parse("config.json", json);
    assertThatThrownBy(config::unquantized)
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith(
            "config.json: quantization_config says that the weights are quantized (%s), which is not"
                    .formatted(named)
                + " supported");
  }

  @Test
  void olderSettingsCountAndNullDoesNot() {
    String older = "{\"compression_config\": {\"quant_method\": \"sparseml\"}}";
    assertThatThrownBy(() -> ComponentConfig.parse("config.json", older).unquantized())
        .hasMessageContaining("compression_config says that the weights are quantized (sparseml)");
    ComponentConfig none = ComponentConfig.parse("config.json", "{\"quantization_config\": null}");
    assertThat(none.unquantized()).isSameAs(none);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "U8 | w.weight.quant_state.bitsandbytes__nf4 | bitsandbytes nf4",
        "U8 | w.weight.absmax | bitsandbytes 4-bit",
        "I8 | w.SCB | bitsandbytes int8",
        "U8 | w.weight_scale_2 | NVFP4",
        "U8 | w.weight_scale_inv | fp8 with inverse scales",
      })
  void aWeightThatIsNoFloatIsNamedWithWhatLiesBesideIt(String type, String beside, String named)
      throws IOException {
    write(type, "w.weight", beside);
    String message =
        "tensor \"w.weight\" is %s, but the model needs floating-point numbers: the weights are"
                .formatted(type)
            + " quantized (%s), which is not supported".formatted(named);
    try (NDManager manager = Torch.newManager();
        FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32)) {
      assertThatThrownBy(() -> weights.get(manager, "w.weight", 4)).hasMessageEndingWith(message);
      assertThatThrownBy(() -> weights.at("w.").get(manager, new Cut(0, 0, 2), "weight", 4))
          .hasMessageEndingWith(message);
      assertThatThrownBy(() -> weights.expect("w.weight"::equals)).hasMessageEndingWith(message);
    }
  }

  @ParameterizedTest
  @CsvSource({"w.weight._data, quanto", "w.qweight, GPTQ or AWQ", "w.W_q, HQQ"})
  void aWeightInAnotherPlaceIsNamedToo(String name, String named) throws IOException {
    write("I8", name, "w.bias");
    try (NDManager manager = Torch.newManager();
        FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32)) {
      String message = "the weights are quantized (%s), which is not supported".formatted(named);
      assertThatThrownBy(() -> weights.get(manager, "w.weight", 4))
          .hasMessageContaining("has no tensor \"w.weight\": ")
          .hasMessageEndingWith(message);
      assertThatThrownBy(() -> weights.expect("w.weight"::equals)).hasMessageEndingWith(message);
    }
  }

  @ParameterizedTest
  @CsvSource({"F8_E8M0", "F4", "I8", "U8", "I16", "BOOL"})
  void typesAloneAreEnough(String type) throws IOException {
    write(type, "w", "other");
    try (NDManager manager = Torch.newManager();
        FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32)) {
      assertThatThrownBy(() -> weights.get(manager, "w", 4))
          .isInstanceOf(ModelException.class)
          .hasMessageEndingWith(
              "tensor \"w\" is " + type + ", but the model needs floating-point numbers");
      weights.expect("neither"::equals);
    }
  }

  /** Two tensors of four bytes. */
  private void write(String type, String name, String other) throws IOException {
    String entry = "\"%s\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[0,4]}";
    int elements = type.equals("I16") ? 2 : 4;
    String header =
        "{" + entry.formatted(name, type, elements) + "," + entry.formatted(other, "U8", 4) + "}";
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + text.length + 4).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(text.length).put(text);
    Files.write(directory.resolve("model.safetensors"), file.array());
  }
}
