package io.xfuser.config;

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
   * Refuses what is known but not built, so that nothing that was asked for is silently left out.
   *
   * @throws ArgumentException for torch.compile
   */
  public EngineConfig {
    if (runtime.useTorchCompile()) {
      throw new ArgumentException("--use_torch_compile is not supported yet");
    }
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

  /** The same with another number of PipeFusion warm-up steps. */
  public EngineConfig withWarmupSteps(int steps) {
    return withRuntime(runtime.withWarmupSteps(steps));
  }
}
