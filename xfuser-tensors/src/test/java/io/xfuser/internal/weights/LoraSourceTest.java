package io.xfuser.internal.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LoraSourceTest {
  @ParameterizedTest
  @CsvSource({
    "x.safetensors, x.safetensors, 1",
    "x.safetensors:0.8, x.safetensors, 0.8",
    "x.safetensors:-.5, x.safetensors, -0.5",
    "x.safetensors:2., x.safetensors, 2",
    "a/b:1e-1, a/b, 0.1",
    "a/b@main/c.safetensors:+3, a/b@main/c.safetensors, 3",
    "C:\\loras\\x.safetensors, C:\\loras\\x.safetensors, 1",
    "C:\\loras\\x.safetensors:0.5, C:\\loras\\x.safetensors, 0.5",
    "C:/loras/x, C:/loras/x, 1",
    "time 10:30/x.safetensors, time 10:30/x.safetensors, 1",
    "a:b, a:b, 1"
  })
  void onlyANumberAfterTheLastColonIsAScale(String text, String place, double scale) {
    assertThat(LoraSource.parse(text)).isEqualTo(new LoraSource(false, place, scale));
  }

  @Test
  void aFileThatIsThereMayHaveANumberAfterAColonInItsName(@TempDir Path folder) throws IOException {
    String file = Files.createFile(folder.resolve("x:2")).toString();
    assertThat(LoraSource.parse(file)).isEqualTo(new LoraSource(false, file, 1));
    assertThat(LoraSource.parse(file + ":0.5")).isEqualTo(new LoraSource(false, file, 0.5));
  }

  @ParameterizedTest
  @CsvSource({"x.safetensors, 1", "org/name/low.safetensors:0.5, 0.5"})
  void oneMayBeForTheSecondTransformer(String text, double scale) {
    assertThat(LoraSource.parse("transformer_2=" + text))
        .isEqualTo(new LoraSource(true, LoraSource.parse(text).place(), scale));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "transformer_2=",
        "transformer_2= ",
        "x.safetensors:",
        "x.safetensors:NaN",
        "x:1e999",
        "y.safetensors:1d"
      })
  void whatIsNoScaleIsRefused(String text) {
    assertThatThrownBy(() -> LoraSource.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }
}
