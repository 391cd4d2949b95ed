package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is a kernel of another package");
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
