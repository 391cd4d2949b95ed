package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ArgumentException;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class AttentionKernelTest {
  @ParameterizedTest
  @CsvSource({
    "sdpa, SDPA",
    "SDPA_FLASH, SDPA_FLASH",
    "sdpa_efficient, SDPA_EFFICIENT",
    "Sdpa_Math, SDPA_MATH",
    "cudnn, CUDNN"
  })
  void kernelsHaveTheNamesOfXDiT(String name, AttentionKernel kernel) {
    assertThat(AttentionKernel.of(name)).isEqualTo(kernel);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"flash", "FLASH_4", "nvte_fp8", "sage", "flex_block_attn", "aiter_sage_v2", "npu"})
  void kernelsOfOtherPackagesAreRefused(String name) {
    assertThatThrownBy(() -> AttentionKernel.of(name))
        .isInstanceOf(ArgumentException.class)
        .hasMessageContaining("is a kernel of another package");
  }

  /** SD3 has 4,096 tokens and 333 of text at 1024 by 1024, Flux 4,096 and 512. */
  @ParameterizedTest
  @CsvSource({
    "4608, 90501, true",
    "4429, 90501, false",
    "1, 91500, false",
    "128, 0, true",
    "4429, 0, false",
    "4429, 91501, true",
    "4429, 91600, true",
    "2049, 100000, true"
  })
  void anOldCudnnTakesMultiplesOf128(long queries, long version, boolean takes) {
    OptionalLong cudnn = version == 0 ? OptionalLong.empty() : OptionalLong.of(version);
    assertThat(AttentionKernel.refusal(queries, cudnn).isEmpty()).isEqualTo(takes);
  }

  @Test
  void anOldCudnnIsNamed() {
    assertThat(AttentionKernel.refusal(4429, OptionalLong.of(90501)))
        .hasValue(
            "is asked for 4429 queries at a time, but cuDNN is to be trusted with numbers that 128"
                + " does not divide from 9.15.1 on, and this one is 9.5.1; sdpa_flash takes any"
                + " number");
    // on this machine there is none to ask
    assertThatThrownBy(() -> AttentionKernel.CUDNN.requireQueries(4429))
        .isInstanceOf(ArgumentException.class)
        .hasMessageStartingWith("attention_backend cudnn is asked for 4429 queries")
        .hasMessageContaining("this one is of unknown version");
    assertThatCode(() -> AttentionKernel.CUDNN.requireQueries(4608)).doesNotThrowAnyException();
    assertThatCode(() -> AttentionKernel.SDPA_FLASH.requireQueries(4429))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(strings = {"fastest", "flashy", "math"})
  void otherNamesAreRejected(String name) {
    assertThatThrownBy(() -> AttentionKernel.of(name))
        .hasMessage(
            "must be one of sdpa, sdpa_flash, sdpa_efficient, sdpa_math, cudnn, but is " + name);
  }

  @ParameterizedTest
  @EnumSource
  void theCpuAndFloat32OnCudaLackSomeKernels(AttentionKernel kernel) {
    boolean forCuda = kernel == AttentionKernel.SDPA_EFFICIENT || kernel == AttentionKernel.CUDNN;
    boolean forHalf = kernel == AttentionKernel.SDPA_FLASH || kernel == AttentionKernel.CUDNN;
    assertThat(kernel.refusal(false, ElementType.FLOAT32).isPresent()).isEqualTo(forCuda);
    assertThat(kernel.refusal(true, ElementType.FLOAT32).isPresent()).isEqualTo(forHalf);
    assertThat(kernel.refusal(true, ElementType.BFLOAT16)).isEmpty();
    assertThat(kernel.refusal(true, ElementType.FLOAT16)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "true, 136, 'takes heads of at most 128 elements on CUDA, but the model''s have 136'",
    "false, 64, 'is a kernel for CUDA, but the device is the CPU'"
  })
  void aKernelIsRefusedForTheModelsHeadsAndForTheDeviceThatWasFound(
      boolean gpu, int headSize, String reason) {
    AttentionKernel kernel = AttentionKernel.CUDNN;
    kernel.require(true, ElementType.FLOAT16, 128);
    assertThatThrownBy(() -> kernel.require(gpu, ElementType.FLOAT16, headSize))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("attention_backend cudnn " + reason);
  }

  @Test
  void wideHeadsAreRefusedWhereAKernelDoesNotTakeThem() {
    assertThat(AttentionKernel.SDPA_FLASH.refusal(true, 256)).isEmpty();
    assertThat(AttentionKernel.SDPA_FLASH.refusal(true, 257))
        .hasValue("takes heads of at most 256 elements on CUDA, but the model's have 257");
    assertThat(AttentionKernel.SDPA_FLASH.refusal(false, 512)).isEmpty();
    assertThat(AttentionKernel.CUDNN.refusal(true, 128)).isEmpty();
    assertThat(AttentionKernel.CUDNN.refusal(true, 129)).isPresent();
    assertThat(AttentionKernel.SDPA_EFFICIENT.refusal(true, 512)).isEmpty();
  }
}
