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
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EngineConfigTest {
  private static final EngineConfig ENGINE = EngineConfig.of(Path.of("model"));

  @Test
  void anEngineIsSerialFloat32OnWhatThereIsByDefault() {
    assertThat(ENGINE.model()).isEqualTo(ModelConfig.builder(Path.of("model")).build());
    assertThat(ENGINE.parallel()).isEqualTo(ParallelConfig.serial());
    assertThat(ENGINE.runtime())
        .hasToString(
            "RuntimeConfig[warmup_steps=1, dtype=float32, device=auto, offload=none,"
                + " offload_chunk_mb=32, resident_ratio=0.0, max_memory=none,"
                + " enable_tiling=false, enable_slicing=false, use_parallel_vae=false,"
                + " shard_text_encoder=false, attention_backend=fastest, fused_kernels=false,"
                + " threads=none, verbose=false]");
    assertThat(EngineConfig.builder(Path.of("model")).build()).isEqualTo(ENGINE);
  }

  @Test
  void eachSetterOfTheRuntimeSetsItsOwnSettingAlone() {
    RuntimeConfig.Builder all =
        RuntimeConfig.builder()
            .warmupSteps(0)
            .dtype(ElementType.BFLOAT16)
            .device("cuda:1")
            .offload(Offload.MODEL)
            .enableTiling(true)
            .attentionBackend(CUDNN)
            .threads(3);
    assertThat(all.build())
        .hasToString(
            "RuntimeConfig[warmup_steps=0, dtype=bfloat16, device=cuda:1, offload=model,"
                + " offload_chunk_mb=32, resident_ratio=0.0, max_memory=none,"
                + " enable_tiling=true, enable_slicing=false, use_parallel_vae=false,"
                + " shard_text_encoder=false, attention_backend=cudnn, fused_kernels=false,"
                + " threads=3, verbose=false]");
    RuntimeConfig others =
        RuntimeConfig.builder()
            .enableSlicing(true)
            .useParallelVae(true)
            .shardTextEncoder(true)
            .verbose(true)
            .device(DeviceChoice.CPU)
            .build();
    assertThat(others)
        .hasToString(
            "RuntimeConfig[warmup_steps=1, dtype=float32, device=cpu, offload=none,"
                + " offload_chunk_mb=32, resident_ratio=0.0, max_memory=none,"
                + " enable_tiling=false, enable_slicing=true, use_parallel_vae=true,"
                + " shard_text_encoder=true, attention_backend=fastest, fused_kernels=false,"
                + " threads=none, verbose=true]");
    assertThat(all.threads(0).build().threads()).isZero();
  }

  @Test
  void anEngineIsChangedInPart() {
    EngineConfig two =
        EngineConfig.builder(Path.of("model"))
            .parallel(parallel -> parallel.ulyssesDegree(2))
            .runtime(runtime -> runtime.warmupSteps(0))
            .build();
    EngineConfig four = two.toBuilder().parallel(parallel -> parallel.ringDegree(2)).build();
    assertThat(four.parallel().worldSize()).isEqualTo(4);
    assertThat(four.runtime().warmupSteps()).isZero();
    assertThat(four.toBuilder().parallel(ParallelConfig.serial()).build().parallel().worldSize())
        .isEqualTo(1);
  }

  @Test
  void aKernelThatDoesNotFitTheDeviceIsRefused() {
    RuntimeConfig cpu = ENGINE.runtime().toBuilder().device(DeviceChoice.CPU).build();
    for (AttentionKernel kernel : List.of(SDPA, SDPA_FLASH, SDPA_MATH)) {
      RuntimeConfig chosen = cpu.toBuilder().attentionBackend(kernel).build();
      assertThat(ENGINE.toBuilder().runtime(chosen).build().runtime().attentionBackend())
          .isEqualTo(kernel);
    }
    assertThatThrownBy(
            () ->
                ENGINE.toBuilder().runtime(cpu.toBuilder().attentionBackend(CUDNN).build()).build())
        .isInstanceOf(ArgumentException.class)
        .hasMessage("attention_backend cudnn is a kernel for CUDA, but the device is the CPU");
    RuntimeConfig gpu = ENGINE.runtime().toBuilder().device(DeviceChoice.CUDA).build();
    assertThat(
            ENGINE.toBuilder()
                .runtime(gpu.toBuilder().attentionBackend(SDPA_EFFICIENT).build())
                .build())
        .isNotNull();
    assertThatThrownBy(
            () ->
                ENGINE.toBuilder()
                    .runtime(gpu.toBuilder().attentionBackend(SDPA_FLASH).build())
                    .build())
        .isInstanceOf(ArgumentException.class)
        .hasMessage(
            "attention_backend sdpa_flash attends in float16 and bfloat16 on CUDA, but the"
                + " element type is float32");
    RuntimeConfig any = ENGINE.runtime().toBuilder().attentionBackend(CUDNN).build();
    assertThat(ENGINE.toBuilder().runtime(any).build())
        .isNotNull(); // it is not known yet which device there is
  }

  @Test
  void impossibleRuntimesAreRejected() {
    RuntimeConfig runtime = RuntimeConfig.builder().build();
    assertThatThrownBy(() -> runtime.toBuilder().warmupSteps(-1).build())
        .isInstanceOf(ArgumentException.class)
        .hasMessage("warmup_steps must be at least 0, but is -1");
    assertThatThrownBy(() -> runtime.toBuilder().device("tpu").build())
        .hasMessage("device must be auto, cpu, cuda or cuda:i, but is tpu");
  }

  @ParameterizedTest
  @EnumSource(
      value = ElementType.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"FLOAT32", "BFLOAT16", "FLOAT16"})
  void otherElementTypesAreRejected(ElementType type) {
    assertThatThrownBy(() -> ENGINE.toBuilder().runtime(r -> r.dtype(type)).build())
        .hasMessage("dtype must be float32, bfloat16 or float16, but is " + type.torchName());
  }

  @ParameterizedTest
  @EnumSource(
      value = Offload.class,
      names = {"MODEL", "SEQUENTIAL"})
  void nothingCanLeaveTheGpuOfARunOnTheCpu(Offload offload) {
    RuntimeConfig runtime = ENGINE.runtime();
    assertThatThrownBy(() -> runtime.toBuilder().device("cpu").offload(offload).build())
        .isInstanceOf(ArgumentException.class)
        .hasMessage(
            "offload "
                + offload.name().toLowerCase(Locale.ROOT)
                + " needs a GPU, but the device is cpu");
    assertThatThrownBy(() -> runtime.toBuilder().offload(offload).device("cpu").build())
        .hasMessage(
            "offload "
                + offload.name().toLowerCase(Locale.ROOT)
                + " needs a GPU, but the device is cpu");
  }

  @Test
  void whatStaysIsSaidOnceAndOnlyOfLayersThatAreReadAhead() {
    RuntimeConfig.Builder ahead = RuntimeConfig.builder().offload(Offload.LAYERWISE).device("cpu");
    assertThat(ahead.offloadChunkMb(2047).build().residency().chunkBytes()).isEqualTo(2047 << 20);
    assertThatThrownBy(() -> RuntimeConfig.builder().residentRatio(0.5).build())
        .isInstanceOf(ArgumentException.class)
        .hasMessage("resident_ratio needs offload layerwise");
    assertThatThrownBy(() -> ahead.residentRatio(0.5).maxMemory("8GB").build())
        .hasMessage("resident_ratio and max_memory exclude each other");
  }

  @Test
  void ownKernelsNeedAGpu() {
    assertThatThrownBy(() -> ENGINE.runtime().toBuilder().device("cpu").fusedKernels(true).build())
        .isInstanceOf(ArgumentException.class)
        .hasMessage("fused_kernels true needs a GPU, but the device is cpu");
    assertThat(ENGINE.runtime().toBuilder().fusedKernels(true).build().needsGpu()).isTrue();
  }
}
