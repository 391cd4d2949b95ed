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
  void anEngineIsSerialFloat32OnTheCpuByDefault() {
    assertThat(ENGINE.model()).isEqualTo(new ModelConfig(Path.of("model"), null, false, null));
    assertThat(ENGINE.parallel()).isEqualTo(ParallelConfig.serial());
    assertThat(ENGINE.runtime())
        .isEqualTo(
            new RuntimeConfig(
                ElementType.FLOAT32, 1, "cpu", false, false, false, false, false, false));
  }

  @Test
  void eachWitherOfTheRuntimeChangesItsOwnSettingAlone() {
    RuntimeConfig runtime = RuntimeConfig.defaults();
    ElementType f32 = ElementType.FLOAT32;
    ElementType bf16 = ElementType.BFLOAT16;
    assertThat(runtime.withDtype(bf16))
        .isEqualTo(new RuntimeConfig(bf16, 1, "cpu", false, false, false, false, false, false));
    assertThat(runtime.withWarmupSteps(0))
        .isEqualTo(new RuntimeConfig(f32, 0, "cpu", false, false, false, false, false, false));
    assertThat(runtime.withDevice("cuda"))
        .isEqualTo(new RuntimeConfig(f32, 1, "cuda", false, false, false, false, false, false));
    assertThat(runtime.withParallelVae(true))
        .isEqualTo(new RuntimeConfig(f32, 1, "cpu", true, false, false, false, false, false));
    assertThat(runtime.withShardedT5Encoder(true))
        .isEqualTo(new RuntimeConfig(f32, 1, "cpu", false, true, false, false, false, false));
    assertThat(runtime.withTiling(true))
        .isEqualTo(new RuntimeConfig(f32, 1, "cpu", false, false, false, true, false, false));
    assertThat(runtime.withSlicing(true))
        .isEqualTo(new RuntimeConfig(f32, 1, "cpu", false, false, false, false, true, false));
    assertThat(runtime.withVerbose(true))
        .isEqualTo(new RuntimeConfig(f32, 1, "cpu", false, false, false, false, false, true));
  }

  @Test
  void impossibleRuntimesAreRejected() {
    RuntimeConfig runtime = RuntimeConfig.defaults();
    assertThatThrownBy(() -> runtime.withWarmupSteps(-1))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("the number of warm-up steps must be at least 0, but is -1");
    assertThatThrownBy(() -> runtime.withDevice("tpu"))
        .hasMessage("the device must be cpu or cuda, but is tpu");
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

  @Test
  void whatIsNotBuiltIsRefusedWithoutTheCommandLineToo() {
    RuntimeConfig runtime = ENGINE.runtime();
    assertThatThrownBy(() -> ENGINE.withRuntime(runtime.withDevice("cuda")))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("--device cuda is not supported yet");
  }
}
