package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.RuntimeConfig;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import org.junit.jupiter.api.Test;

class KernelCheckTest {
  private static final RuntimeConfig HALF = RuntimeConfig.defaults().withDtype(ElementType.FLOAT16);

  @Test
  void aKernelThatDoesNotTakeTheModelsHeadsIsRefused() {
    RuntimeConfig cudnn = HALF.withAttentionKernel(AttentionKernel.CUDNN);
    assertThatCode(() -> KernelCheck.require(cudnn, 128, true)).doesNotThrowAnyException();
    assertThatThrownBy(() -> KernelCheck.require(cudnn, 136, true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "attentionKernel cudnn takes heads of at most 128 elements on CUDA, but the"
                + " model's have 136");
  }

  @Test
  void aDeviceThatWasFoundDecidesToo() {
    RuntimeConfig cudnn = HALF.withAttentionKernel(AttentionKernel.CUDNN);
    assertThatThrownBy(() -> KernelCheck.require(cudnn, 64, false))
        .hasMessage("attentionKernel cudnn is a kernel for CUDA, but the device is the CPU");
  }
}
