package io.xfuser.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ArgumentException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceChoiceTest {
  @ParameterizedTest
  @ValueSource(strings = {"auto", "cpu", "cuda", "cuda:0", "cuda:15"})
  void aChoiceIsWrittenAsItIsRead(String text) {
    assertThat(DeviceChoice.parse(text)).hasToString(text);
  }

  @Test
  void onlyANumberedGpuIsOneForAllRanks() {
    assertThat(DeviceChoice.parse("cuda:1").isOneGpu()).isTrue();
    assertThat(DeviceChoice.parse("cuda:1").index()).isEqualTo(1);
    assertThat(DeviceChoice.CUDA.isOneGpu()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda:01", "cpu:0", "cuda:1 "})
  void anythingElseIsRefused(String text) {
    assertThatThrownBy(() -> DeviceChoice.parse(text))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(
            "device must be auto, cpu, cuda or cuda:i, but is "
                + (text.isEmpty() ? "empty" : text));
  }

  @Test
  void theCpuHasNoNumber() {
    assertThatThrownBy(() -> new DeviceChoice(DeviceChoice.DeviceType.CPU, 0))
        .hasMessage("there is no device CPU 0");
  }
}
