package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.RuntimeConfig;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import org.junit.jupiter.api.Test;

class KernelCheckTest {
  private static final RuntimeConfig HALF =
      RuntimeConfig.builder().dtype(ElementType.FLOAT16).build();

  @Test
  void aKernelThatDoesNotTakeTheModelsHeadsIsRefused() {
    RuntimeConfig cudnn = HALF.toBuilder().attentionBackend(AttentionKernel.CUDNN).build();
    assertThatCode(() -> KernelCheck.require(cudnn, 128, true)).doesNotThrowAnyException();
    assertThatThrownBy(() -> KernelCheck.require(cudnn, 136, true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "attention_backend cudnn takes heads of at most 128 elements on CUDA, but the"
                + " model's have 136");
  }

  @Test
  void aDeviceThatWasFoundDecidesToo() {
    RuntimeConfig cudnn = HALF.toBuilder().attentionBackend(AttentionKernel.CUDNN).build();
    assertThatThrownBy(() -> KernelCheck.require(cudnn, 64, false))
        .hasMessage("attention_backend cudnn is a kernel for CUDA, but the device is the CPU");
  }
}
