package io.xfuser.config;

import static io.xfuser.torchscript.AttentionKernel.CUDNN;
import static io.xfuser.torchscript.AttentionKernel.SDPA;
import static io.xfuser.torchscript.AttentionKernel.SDPA_EFFICIENT;
import static io.xfuser.torchscript.AttentionKernel.SDPA_FLASH;
import static io.xfuser.torchscript.AttentionKernel.SDPA_MATH;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ArgumentException;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import java.nio.file.Path;
import java.util.List;
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
                false,
                false,
                AttentionKernel.FASTEST,
                0));
  }

  @Test
  void eachWitherOfTheRuntimeChangesItsOwnSettingAlone() {
    RuntimeConfig runtime = RuntimeConfig.defaults();
    assertThat(settings(runtime.withDtype(ElementType.BFLOAT16)))
        .isEqualTo("BFLOAT16 1 auto NONE false false false false false false FASTEST 0");
    assertThat(settings(runtime.withWarmupSteps(0)))
        .isEqualTo("FLOAT32 0 auto NONE false false false false false false FASTEST 0");
    assertThat(settings(runtime.withDevice("cuda:1")))
        .isEqualTo("FLOAT32 1 cuda:1 NONE false false false false false false FASTEST 0");
    assertThat(settings(runtime.withDevice(DeviceChoice.CPU)))
        .isEqualTo("FLOAT32 1 cpu NONE false false false false false false FASTEST 0");
    assertThat(settings(runtime.withOffload(Offload.MODEL)))
        .isEqualTo("FLOAT32 1 auto MODEL false false false false false false FASTEST 0");
    assertThat(settings(runtime.withParallelVae(true)))
        .isEqualTo("FLOAT32 1 auto NONE true false false false false false FASTEST 0");
    assertThat(settings(runtime.withShardedT5Encoder(true)))
        .isEqualTo("FLOAT32 1 auto NONE false true false false false false FASTEST 0");
    assertThat(settings(runtime.withTiling(true)))
        .isEqualTo("FLOAT32 1 auto NONE false false false true false false FASTEST 0");
    assertThat(settings(runtime.withSlicing(true)))
        .isEqualTo("FLOAT32 1 auto NONE false false false false true false FASTEST 0");
    assertThat(settings(runtime.withVerbose(true)))
        .isEqualTo("FLOAT32 1 auto NONE false false false false false true FASTEST 0");
    assertThat(settings(runtime.withAttentionKernel(AttentionKernel.CUDNN)))
        .isEqualTo("FLOAT32 1 auto NONE false false false false false false CUDNN 0");
    assertThat(settings(runtime.withThreads(3)))
        .isEqualTo("FLOAT32 1 auto NONE false false false false false false FASTEST 3");
  }

  private static String settings(RuntimeConfig runtime) {
    return runtime.toString().replaceAll("^.*?\\[|\\]$|\\w+=", "").replace(", ", " ");
  }

  @Test
  void aKernelThatDoesNotFitTheDeviceIsRefused() {
    RuntimeConfig cpu = ENGINE.runtime().withDevice(DeviceChoice.CPU);
    for (AttentionKernel kernel : List.of(SDPA, SDPA_FLASH, SDPA_MATH)) {
      RuntimeConfig chosen = cpu.withAttentionKernel(kernel);
      assertThat(ENGINE.withRuntime(chosen).runtime().attentionKernel()).isEqualTo(kernel);
    }
    assertThatThrownBy(() -> ENGINE.withRuntime(cpu.withAttentionKernel(CUDNN)))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("attentionKernel cudnn is a kernel for CUDA, but the device is the CPU");
    RuntimeConfig gpu = ENGINE.runtime().withDevice(DeviceChoice.CUDA);
    assertThat(ENGINE.withRuntime(gpu.withAttentionKernel(SDPA_EFFICIENT))).isNotNull();
    assertThatThrownBy(() -> ENGINE.withRuntime(gpu.withAttentionKernel(SDPA_FLASH)))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(
            "attentionKernel sdpa_flash attends in float16 and bfloat16 on CUDA, but the"
                + " element type is float32");
    RuntimeConfig any = ENGINE.runtime().withAttentionKernel(CUDNN);
    assertThat(ENGINE.withRuntime(any)).isNotNull(); // it is not known yet which device there is
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
        .hasMessage("Offload." + offload + " needs a GPU, but the device is cpu");
    assertThatThrownBy(() -> runtime.withOffload(offload).withDevice("cpu"))
        .hasMessage("Offload." + offload + " needs a GPU, but the device is cpu");
  }
}
