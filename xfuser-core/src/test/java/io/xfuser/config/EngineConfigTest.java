package io.xfuser.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.torchscript.ElementType;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EngineConfigTest {
  private static final EngineConfig ENGINE = EngineConfig.of(Path.of("model"));

  @Test
  void anEngineIsSerialFloat32OnWhatThereIsByDefault() {
    assertThat(ENGINE.model()).isEqualTo(new ModelConfig(Path.of("model"), null, false, null));
    assertThat(ENGINE.parallel()).isEqualTo(ParallelConfig.serial());
    assertThat(ENGINE.runtime())
        .isEqualTo(
            new RuntimeConfig(
                ElementType.FLOAT32,
                1,
                DeviceChoice.AUTO,
                Offload.NONE,
                false,
                false,
                false,
                false,
                false));
  }

  @Test
  void eachWitherOfTheRuntimeChangesItsOwnSettingAlone() {
    RuntimeConfig runtime = RuntimeConfig.defaults();
    assertThat(settings(runtime.withDtype(ElementType.BFLOAT16)))
        .isEqualTo("BFLOAT16 1 auto NONE false false false false false");
    assertThat(settings(runtime.withWarmupSteps(0)))
        .isEqualTo("FLOAT32 0 auto NONE false false false false false");
    assertThat(settings(runtime.withDevice("cuda:1")))
        .isEqualTo("FLOAT32 1 cuda:1 NONE false false false false false");
    assertThat(settings(runtime.withDevice(DeviceChoice.CPU)))
        .isEqualTo("FLOAT32 1 cpu NONE false false false false false");
    assertThat(settings(runtime.withOffload(Offload.MODEL)))
        .isEqualTo("FLOAT32 1 auto MODEL false false false false false");
    assertThat(settings(runtime.withParallelVae(true)))
        .isEqualTo("FLOAT32 1 auto NONE true false false false false");
    assertThat(settings(runtime.withTiling(true)))
        .isEqualTo("FLOAT32 1 auto NONE false false true false false");
    assertThat(settings(runtime.withSlicing(true)))
        .isEqualTo("FLOAT32 1 auto NONE false false false true false");
    assertThat(settings(runtime.withVerbose(true)))
        .isEqualTo("FLOAT32 1 auto NONE false false false false true");
  }

  private static String settings(RuntimeConfig runtime) {
    return runtime.toString().replaceAll("^.*?\\[|\\]$|\\w+=", "").replace(", ", " ");
  }

  @Test
  void impossibleRuntimesAreRejected() {
    RuntimeConfig runtime = RuntimeConfig.defaults();
    assertThatThrownBy(() -> runtime.withWarmupSteps(-1))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("the number of warm-up steps must be at least 0, but is -1");
    assertThatThrownBy(() -> runtime.withDevice("tpu"))
        .hasMessage("the device must be auto, cpu, cuda or cuda:i, but is tpu");
  }

  @ParameterizedTest
  @EnumSource(
      value = ElementType.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"FLOAT32", "BFLOAT16", "FLOAT16"})
  void otherElementTypesAreRejected(ElementType type) {
    assertThatThrownBy(() -> ENGINE.withDtype(type))
        .hasMessage(
            "the element type must be float32, bfloat16 or float16, but is " + type.torchName());
  }

  @ParameterizedTest
  @EnumSource(
      value = Offload.class,
      names = {"MODEL", "SEQUENTIAL"})
  void nothingCanLeaveTheGpuOfARunOnTheCpu(Offload offload) {
    RuntimeConfig runtime = ENGINE.runtime();
    assertThatThrownBy(() -> runtime.withDevice("cpu").withOffload(offload))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(offload.flag() + " needs a GPU, but the device is cpu");
    assertThatThrownBy(() -> runtime.withOffload(offload).withDevice("cpu"))
        .hasMessage(offload.flag() + " needs a GPU, but the device is cpu");
  }
}
