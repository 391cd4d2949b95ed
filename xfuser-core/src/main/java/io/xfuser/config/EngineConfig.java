package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import io.xfuser.torchscript.AttentionKernel;
import java.nio.file.Path;
import java.util.function.UnaryOperator;

/**
 * What stays the same from call to call: the model, how it is computed, and by how many ranks.
 *
 * <pre>{@code
 * EngineConfig.builder(directory)
 *     .runtime(r -> r.dtype(ElementType.BFLOAT16))
 *     .parallel(p -> p.ulyssesDegree(2).cfgDegree(2))
 *     .build()
 * }</pre>
 *
 * @param model where the model lies
 * @param runtime element type, device, warm-up
 * @param parallel the degrees
 */
public record EngineConfig(ModelConfig model, RuntimeConfig runtime, ParallelConfig parallel) {

  /**
   * Refuses what cannot be had, so that nothing that was asked for is silently left out.
   *
   * @throws ArgumentException for a kernel of attention, or quantized weights, that do not fit the
   *     device that was named or the element type
   */
  public EngineConfig {
    Given.required(model, "model");
    Given.required(runtime, "runtime");
    Given.required(parallel, "parallel");
    switch (runtime.device().kind()) {
      case CPU -> requireKernel(runtime, false);
      case CUDA -> {
        requireKernel(runtime, true);
        model.requireDevice(true);
      }
      case AUTO -> {} // checked when there is a device
    }
  }

  private static void requireKernel(RuntimeConfig runtime, boolean gpu) {
    AttentionKernel kernel = runtime.attentionBackend();
    kernel
        .refusal(gpu, runtime.dtype())
        .ifPresent(
            reason -> {
              throw new ArgumentException(
                  RuntimeConfig.ATTENTION_BACKEND.with(kernel) + " " + reason);
            });
  }

  /** The model in {@code directory} on one rank, in float32, with one warm-up step. */
  public static EngineConfig of(Path directory) {
    return builder(directory).build();
  }

  /** The model in {@code directory} on one rank, in float32, until something else is given. */
  public static Builder builder(Path directory) {
    return builder(ModelConfig.builder(directory).build());
  }

  /** A model of the hub on one rank, in float32, until something else is given. */
  public static Builder builder(ModelName name) {
    return builder(ModelConfig.builder(name).build());
  }

  /** One rank, float32, one warm-up step, until something else is given. */
  public static Builder builder(ModelConfig model) {
    return new Builder(model, RuntimeConfig.builder().build(), ParallelConfig.serial());
  }

  /** What of the weights is where it is used only as long as it is. */
  public Offload held() {
    return runtime.offload() == Offload.NONE && model.keepsWeightTypes()
        ? Offload.SEQUENTIAL
        : runtime.offload();
  }

  /** A builder that starts from these values. */
  public Builder toBuilder() {
    return new Builder(model, runtime, parallel);
  }

  /** An engine that is being put together. */
  public static final class Builder {
    private ModelConfig model;
    private RuntimeConfig runtime;
    private ParallelConfig parallel;

    private Builder(ModelConfig model, RuntimeConfig runtime, ParallelConfig parallel) {
      this.model = model;
      this.runtime = runtime;
      this.parallel = parallel;
    }

    /** Another model. */
    public Builder model(ModelConfig other) {
      model = Given.required(other, "model");
      return this;
    }

    /** How it is computed. */
    public Builder runtime(RuntimeConfig other) {
      runtime = Given.required(other, "runtime");
      return this;
    }

    /** What {@code change} changes of how it is computed. */
    public Builder runtime(UnaryOperator<RuntimeConfig.Builder> change) {
      return runtime(change.apply(runtime.toBuilder()).build());
    }

    /** By how many ranks. */
    public Builder parallel(ParallelConfig other) {
      parallel = Given.required(other, "parallel");
      return this;
    }

    /** What {@code change} changes of the degrees. */
    public Builder parallel(UnaryOperator<ParallelConfigBuilder> change) {
      return parallel(change.apply(parallel.toBuilder()).build());
    }

    /**
     * The engine.
     *
     * @throws ArgumentException as the record's constructor does
     */
    public EngineConfig build() {
      return new EngineConfig(model, runtime, parallel);
    }
  }
}
