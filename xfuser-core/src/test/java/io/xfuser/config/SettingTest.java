package io.xfuser.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ArgumentException;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import java.math.BigInteger;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SettingTest {
  static Stream<Arguments> values() {
    BigInteger most = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);
    return Stream.of(
        Arguments.of(InputConfig.HEIGHT, "512", 512),
        Arguments.of(InputConfig.HEIGHT, 512L, 512),
        Arguments.of(InputConfig.SEED, most, -1L),
        Arguments.of(InputConfig.SEED, most.toString(), -1L),
        Arguments.of(InputConfig.GUIDANCE_SCALE, 3, 3.0),
        Arguments.of(InputConfig.GUIDANCE_SCALE, "4.5", 4.5),
        Arguments.of(InputConfig.CLEAN_CAPTION, "false", false),
        Arguments.of(InputConfig.CLEAN_CAPTION, true, true),
        Arguments.of(InputConfig.CLASS_LABELS, List.of("207", 3), List.of(207, 3)),
        Arguments.of(InputConfig.CLASS_LABELS, 7, List.of(7)),
        Arguments.of(InputConfig.PROMPT, "a fox", List.of("a fox")),
        Arguments.of(InputConfig.OUTPUT_TYPE, "latent", OutputType.LATENT),
        Arguments.of(RuntimeConfig.DTYPE, "bf16", ElementType.BFLOAT16),
        Arguments.of(RuntimeConfig.DTYPE, ElementType.FLOAT16, ElementType.FLOAT16),
        Arguments.of(RuntimeConfig.ATTENTION_BACKEND, "None", AttentionKernel.FASTEST),
        Arguments.of(RuntimeConfig.OFFLOAD, "sequential", Offload.SEQUENTIAL),
        Arguments.of(RuntimeConfig.MAX_MEMORY, "8GB", 8_000_000_000L),
        Arguments.of(RuntimeConfig.MAX_MEMORY, "7.5 gib", 15L << 29),
        Arguments.of(RuntimeConfig.MAX_MEMORY, "1500", 1500L),
        Arguments.of(RuntimeConfig.MAX_MEMORY, 1_048_576, 1L << 20));
  }

  @ParameterizedTest
  @MethodSource("values")
  void aValueIsReadFromTextJsonAndItself(Setting<?> setting, Object given, Object value) {
    assertThat(setting.read(given)).isEqualTo(value);
    assertThat(setting.read(value)).isEqualTo(value);
  }

  static Stream<Arguments> wrong() {
    return Stream.of(
        Arguments.of(InputConfig.HEIGHT, "x", "height must be a whole number, but is x"),
        Arguments.of(InputConfig.HEIGHT, 1.5, "height must be a whole number, but is 1.5"),
        Arguments.of(
            InputConfig.HEIGHT,
            "3000000000",
            "height must be from 1 to 2147483647, but is 3000000000"),
        Arguments.of(InputConfig.ETA, true, "eta must be a number, but is true"),
        Arguments.of(InputConfig.CLEAN_CAPTION, 1, "clean_caption must be true or false, but is 1"),
        Arguments.of(InputConfig.PROMPT, List.of(5), "prompt must be a text, but is 5"),
        Arguments.of(
            RuntimeConfig.MAX_MEMORY,
            "8 bytes",
            "max_memory must be a size, 8GB or 7.5GiB for example, but is 8 bytes"),
        Arguments.of(
            RuntimeConfig.MAX_MEMORY,
            "0",
            "max_memory must be a size, 8GB or 7.5GiB for example, but is 0"),
        Arguments.of(
            RuntimeConfig.OFFLOAD,
            "disk",
            "offload must be none, model, sequential or layerwise, but is disk"),
        Arguments.of(RuntimeConfig.THREADS, 1025, "threads must be from 1 to 1024, but is 1025"),
        Arguments.of(
            RuntimeConfig.DTYPE,
            ElementType.INT64,
            "dtype must be float32, bfloat16 or float16, but is int64"),
        Arguments.of(
            InputConfig.OUTPUT_TYPE, "png", "output_type must be pil, pt or latent, but is png"));
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void whatIsNoValueIsRefusedWithNameRangeAndValue(
      Setting<?> setting, Object given, String message) {
    assertThatThrownBy(() -> setting.read(given))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(message);
  }

  @Test
  void aTextOfJsonIsNoNumberAndNoTruth() {
    assertThat(InputConfig.HEIGHT.readJson(64)).isEqualTo(64);
    assertThat(RuntimeConfig.DTYPE.readJson("bf16")).isEqualTo(ElementType.BFLOAT16);
    assertThatThrownBy(() -> InputConfig.HEIGHT.readJson("64"))
        .hasMessage("height must be a number, but is \"64\"");
    assertThatThrownBy(() -> InputConfig.CLASS_LABELS.readJson(List.of(1, "2")))
        .hasMessage("class_labels must be a number, but is \"2\"");
    assertThatThrownBy(() -> InputConfig.CLEAN_CAPTION.readJson("true"))
        .hasMessage("clean_caption must be true or false, but is \"true\"");
  }

  @Test
  void everySettingHasANameOfItsOwnAndTellsItsDefault() {
    Set<String> names = new HashSet<>();
    Stream.of(
            InputConfig.SETTINGS,
            RuntimeConfig.SETTINGS,
            ParallelConfig.SETTINGS,
            ModelConfig.SETTINGS)
        .flatMap(List::stream)
        .distinct() // a request has some of its pipeline's
        .forEach(
            setting -> {
              assertThat(names.add(setting.name())).as(setting.name()).isTrue();
              assertThat(setting.name()).matches("[a-z0-9]+(_[a-z0-9]+)*");
              assertThat(setting.description())
                  .matches("[\\p{Upper}\\d\\p{Lower}].*\\(default: .+\\)");
            });
  }

  @Test
  void everySettingIsInTheListOfItsClass() throws IllegalAccessException {
    for (Class<?> type :
        List.of(InputConfig.class, RuntimeConfig.class, ParallelConfig.class, ModelConfig.class)) {
      Set<Object> declared = new HashSet<>();
      List<?> listed = List.of();
      for (var field : type.getFields()) {
        if (field.getType() == Setting.class) {
          declared.add(field.get(null));
        } else if (field.getName().equals("SETTINGS")) {
          listed = (List<?>) field.get(null);
        }
      }
      assertThat(declared).hasSize(listed.size()).containsAll(listed);
    }
  }
}
