package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.RuntimeConfig;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Share;
import org.junit.jupiter.api.Test;

class KernelCheckTest {
  private static final RuntimeConfig HALF = RuntimeConfig.defaults().withDtype(ElementType.FLOAT16);

  @Test
  void aKernelThatDoesNotTakeTheModelsHeadsIsRefused() {
    RuntimeConfig cudnn = HALF.withAttentionKernel(AttentionKernel.CUDNN);
    assertThatCode(() -> KernelCheck.require(cudnn, new Wide(128), true))
        .doesNotThrowAnyException();
    assertThatThrownBy(() -> KernelCheck.require(cudnn, new Wide(136), true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "--attention_backend cudnn takes heads of at most 128 elements on CUDA, but the"
                + " model's have 136");
  }

  @Test
  void aDeviceThatWasFoundDecidesToo() {
    RuntimeConfig cudnn = HALF.withAttentionKernel(AttentionKernel.CUDNN);
    assertThatThrownBy(() -> KernelCheck.require(cudnn, new Wide(64), false))
        .hasMessage("--attention_backend cudnn is a kernel for CUDA, but the device is the CPU");
  }

  /** With heads of that size. */
  private record Wide(int headSize) implements TransformerSpec<String> {
    @Override
    public int depth() {
      return 1;
    }

    @Override
    public int heads() {
      return 1;
    }

    @Override
    public Block<String> block(int index, Share share) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Embedding<String> embedding() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Head<String> head() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Conditioner<String> conditioner() {
      throw new UnsupportedOperationException();
    }
  }
}
