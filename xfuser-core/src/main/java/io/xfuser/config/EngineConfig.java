package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import java.nio.file.Path;

/**
 * What stays the same from call to call: the model, how it is computed, and by how many ranks.
 *
 * @param model where the model lies
 * @param runtime element type, device, warm-up
 * @param parallel the degrees
 */
public record EngineConfig(ModelConfig model, RuntimeConfig runtime, ParallelConfig parallel) {

  /**
   * Refuses what cannot be had, so that nothing that was asked for is silently left out.
   *
   * @throws ArgumentException for torch.compile, and for a kernel of attention that does not fit
   *     the device that was named or the element type
   */
  public EngineConfig {
    if (runtime.useTorchCompile()) {
      throw new ArgumentException(
          "useTorchCompile has no counterpart, because there is no Python to compile and DJL gives"
              + " no access to CUDA graphs; the programs are fused by hand instead, and on the CPU"
              + " a step takes 0.57 to 0.96 of the time of diffusers' (docs/performance.md)");
    }
    switch (runtime.device().kind()) {
      case CPU -> requireKernel(runtime, false);
      case CUDA -> requireKernel(runtime, true);
      case AUTO -> {} // checked when there is a device
    }
  }

  private static void requireKernel(RuntimeConfig runtime, boolean gpu) {
    AttentionKernel kernel = runtime.attentionKernel();
    kernel
        .refusal(gpu, runtime.dtype())
        .ifPresent(
            reason -> {
              throw new ArgumentException("attentionKernel " + kernel.kernelName() + " " + reason);
            });
  }

  /** One rank, float32, one warm-up step. */
  public static EngineConfig of(Path model) {
    return new EngineConfig(
        ModelConfig.of(model), RuntimeConfig.defaults(), ParallelConfig.serial());
  }

  /** The same for another model. */
  public EngineConfig withModel(ModelConfig other) {
    return new EngineConfig(other, runtime, parallel);
  }

  /** The same with other runtime settings. */
  public EngineConfig withRuntime(RuntimeConfig other) {
    return new EngineConfig(model, other, parallel);
  }

  /** The same over other ranks. */
  public EngineConfig withParallel(ParallelConfig other) {
    return new EngineConfig(model, runtime, other);
  }

  /** The same in another element type. */
  public EngineConfig withDtype(ElementType type) {
    return withRuntime(runtime.withDtype(type));
  }

  /** The same with another number of warm-up steps. */
  public EngineConfig withWarmupSteps(int steps) {
    return withRuntime(runtime.withWarmupSteps(steps));
  }
}
