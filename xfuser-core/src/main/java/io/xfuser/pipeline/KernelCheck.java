package io.xfuser.pipeline;

import io.xfuser.config.RuntimeConfig;
import io.xfuser.torchscript.AttentionKernel;

/** Whether the kernel of self-attention that was asked for fits the device and the model. */
final class KernelCheck {
  private KernelCheck() {}

  /**
   * Refuses one that does not.
   *
   * @param headSize the width of the model's heads
   * @param gpu whether the ranks compute on GPUs
   * @throws IllegalArgumentException with the reason, in one sentence
   */
  static void require(RuntimeConfig runtime, int headSize, boolean gpu) {
    AttentionKernel kernel = runtime.attentionBackend();
    kernel
        .refusal(gpu, runtime.dtype())
        .or(() -> kernel.refusal(gpu, headSize))
        .ifPresent(
            reason -> {
              throw new IllegalArgumentException(
                  RuntimeConfig.ATTENTION_BACKEND.with(kernel) + " " + reason);
            });
  }
}
