package io.xfuser.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComponentConfigTest {
  private final ComponentConfig config =
      ComponentConfig.parse(
          "config.json",
          """
          {"layers": 28, "eps": 1e-06, "low": -Infinity, "odd": NaN, "norm": "ada", "flag": true,
           "none": null, "whole": 2.0, "big": 3000000000, "sizes": [1, 2], "betas": [0.1, 1],
           "library": ["diffusers", "T5"]}
          """);

  @Test
  void valuesAreReadByKind() {
    assertThat(config.getInt("layers")).isEqualTo(28);
    assertThat(config.getInt("whole")).isEqualTo(2);
    assertThat(config.getDouble("eps")).isEqualTo(1e-6);
    assertThat(config.getDouble("layers")).isEqualTo(28);
    assertThat(config.getDouble("low")).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(config.getDouble("odd")).isNaN();
    assertThat(config.getString("norm")).isEqualTo("ada");
    assertThat(config.getBoolean("flag")).isTrue();
    assertThat(config.getIntList("sizes")).containsExactly(1, 2);
    assertThat(config.getDoubleList("betas")).containsExactly(0.1, 1.0);
    assertThat(config.getStringList("library")).containsExactly("diffusers", "T5");
    assertThat(config.keys()).contains("layers", "none").hasSize(12);
  }

  @Test
  void nullCountsAsAbsent() {
    assertThat(config.has("none")).isFalse();
    assertThat(config.getInt("none", 3)).isEqualTo(3);
    assertThat(config.getDouble("missing", 0.5)).isEqualTo(0.5);
    assertThat(config.getString("missing", "x")).isEqualTo("x");
    assertThat(config.getBoolean("missing", true)).isTrue();
    assertThat(config.getBoolean("none", true)).isFalse(); // None is false in Python
    assertRejected(() -> config.getInt("none"), "config.json has no none");
  }

  @Test
  void aValueOfAnotherKindIsShown() {
    assertRejected(() -> config.getInt("norm"), "config.json: norm is \"ada\", not a whole number");
    assertRejected(() -> config.getInt("eps"), "config.json: eps is 1.0E-6, not a whole number");
    assertRejected(() -> config.getInt("low"), "config.json: low is -Infinity, not a whole number");
    assertRejected(() -> config.getInt("big", 1), "big is 3000000000, not a whole number");
    assertRejected(() -> config.getDouble("flag"), "flag is true, not a number");
    assertRejected(() -> config.getString("layers"), "layers is 28, not a string");
    assertRejected(() -> config.getBoolean("layers", true), "layers is 28, not true or false");
    assertRejected(() -> config.getIntList("betas"), "betas is [0.1,1], not a whole number");
    assertRejected(() -> config.getIntList("layers"), "layers is 28, not a list");
  }

  @Test
  void defaultsThatDiffusersSavedAreNoSettings() {
    ComponentConfig saved =
        ComponentConfig.parse("c", "{\"a\": 1, \"b\": 2, \"_use_default_values\": [\"a\"]}");
    assertThat(saved.getInt("a", 5)).isEqualTo(5);
    assertThat(saved.getInt("b", 5)).isEqualTo(2);
  }

  @Test
  void aPartOfALargerModelKeepsTheClassThatTheIndexNames() {
    String text = "{\"model_type\": \"clip\", \"n\": 1, \"text_config\": {\"n\": 2}}";
    ComponentConfig whole = ComponentConfig.parse("c", text).ofClass("CLIPTextModel");
    ComponentConfig part = whole.part("text_config", "clip_text_model");
    assertThat(part.getInt("n")).isEqualTo(2);
    assertThat(part.className()).contains("CLIPTextModel");
    assertThat(part.origin()).isEqualTo("c, text_config");
    assertThat(whole.part(null, "bert")).isSameAs(whole);
  }

  @Test
  void aFileThatIsMissingOrNotJsonIsNamed(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("config.json");
    assertRejected(() -> ComponentConfig.read(file), "config.json does not exist");
    Files.writeString(file, "{\"a\": ");
    assertRejected(
        () -> ComponentConfig.read(file),
        "config.json is not JSON (line 1, column 7: it ends too early)");
    Files.writeString(file, "{\n  \"a\": 1,\n  \"b\" 2\n}\n");
    assertRejected(() -> ComponentConfig.read(file), "config.json is not JSON (line 3, column 7)");
    Files.writeString(file, "[]");
    assertRejected(() -> ComponentConfig.read(file), "config.json is not a JSON object");
  }

  private static void assertRejected(ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(ModelException.class).hasMessageContaining(message);
  }
}
