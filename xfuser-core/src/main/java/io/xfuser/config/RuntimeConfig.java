package io.xfuser.config;

import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;

/**
 * How the computation runs, whatever its layout.
 *
 * @param dtype the element type of weights and hidden states: float32, bfloat16 or float16
 * @param warmupSteps first steps in which no key or value is stale, for PipeFusion and
 *     DistriFusion, ≥ 0
 * @param device where ranks compute
 * @param offload what happens to weights on a GPU while they are not in use
 * @param useParallelVae the ranks share the decoding of a picture
 * @param shardT5Encoder the ranks share the T5 text encoder
 * @param useTorchCompile xDiT's switch for torch.compile
 * @param enableTiling the VAE decodes overlapping tiles
 * @param enableSlicing the VAE decodes one picture at a time
 * @param verbose the plan is shown: who owns which blocks, patches and heads
 * @param attentionKernel computes self-attention over image tokens
 */
public record RuntimeConfig(
    ElementType dtype,
    int warmupSteps,
    DeviceChoice device,
    Offload offload,
    boolean useParallelVae,
    boolean shardT5Encoder,
    boolean useTorchCompile,
    boolean enableTiling,
    boolean enableSlicing,
    boolean verbose,
    AttentionKernel attentionKernel) {

  /**
   * Checks each value.
   *
   * @throws ArgumentException for another element type, fewer than 0 warm-up steps, or weights that
   *     are to leave the GPU of a run on the CPU
   */
  public RuntimeConfig {
    switch (dtype) {
      case FLOAT32, BFLOAT16, FLOAT16 -> {}
      default ->
          throw new ArgumentException(
              "the element type must be float32, bfloat16 or float16, but is " + dtype.torchName());
    }
    Check.atLeast(0, warmupSteps, "the number of warm-up steps");
    if (offload != Offload.NONE && device.kind() == DeviceChoice.Kind.CPU) {
      throw new ArgumentException(offload.flag() + " needs a GPU, but the device is cpu");
    }
  }

  /**
   * float32 on GPUs where there are some, else on the CPU, with one warm-up step, and everything
   * optional off.
   */
  public static RuntimeConfig defaults() {
    return new RuntimeConfig(
        ElementType.FLOAT32,
        1,
        DeviceChoice.AUTO,
        Offload.NONE,
        false,
        false,
        false,
        false,
        false,
        false,
        AttentionKernel.FASTEST);
  }

  /** Whether something was asked for that only a GPU can do. */
  public boolean needsGpu() {
    return device.kind() == DeviceChoice.Kind.CUDA || offload != Offload.NONE;
  }

  /** The same in another element type. */
  public RuntimeConfig withDtype(ElementType type) {
    return new RuntimeConfig(
        type,
        warmupSteps,
        device,
        offload,
        useParallelVae,
        shardT5Encoder,
        useTorchCompile,
        enableTiling,
        enableSlicing,
        verbose,
        attentionKernel);
  }

  /** The same with another number of warm-up steps. */
  public RuntimeConfig withWarmupSteps(int steps) {
    return new RuntimeConfig(
        dtype,
        steps,
        device,
        offload,
        useParallelVae,
        shardT5Encoder,
        useTorchCompile,
        enableTiling,
        enableSlicing,
        verbose,
        attentionKernel);
  }

  /**
   * The same on another device: {@code auto}, {@code cpu}, {@code cuda} or {@code cuda:i}.
   *
   * @throws ArgumentException for anything else
   */
  public RuntimeConfig withDevice(String name) {
    return withDevice(DeviceChoice.parse(name));
  }

  /** The same on another device. */
  public RuntimeConfig withDevice(DeviceChoice choice) {
    return new RuntimeConfig(
        dtype,
        warmupSteps,
        choice,
        offload,
        useParallelVae,
        shardT5Encoder,
        useTorchCompile,
        enableTiling,
        enableSlicing,
        verbose,
        attentionKernel);
  }

  /** The same with weights leaving the GPU or not. */
  public RuntimeConfig withOffload(Offload what) {
    return new RuntimeConfig(
        dtype,
        warmupSteps,
        device,
        what,
        useParallelVae,
        shardT5Encoder,
        useTorchCompile,
        enableTiling,
        enableSlicing,
        verbose,
        attentionKernel);
  }

  /** The same with the decoding shared among the ranks or not. */
  public RuntimeConfig withParallelVae(boolean parallel) {
    return new RuntimeConfig(
        dtype,
        warmupSteps,
        device,
        offload,
        parallel,
        shardT5Encoder,
        useTorchCompile,
        enableTiling,
        enableSlicing,
        verbose,
        attentionKernel);
  }

  /** The same with the T5 text encoder shared among the ranks or not. */
  public RuntimeConfig withShardedT5Encoder(boolean sharded) {
    return new RuntimeConfig(
        dtype,
        warmupSteps,
        device,
        offload,
        useParallelVae,
        sharded,
        useTorchCompile,
        enableTiling,
        enableSlicing,
        verbose,
        attentionKernel);
  }

  /** The same with decoding in tiles or not. */
  public RuntimeConfig withTiling(boolean tiling) {
    return new RuntimeConfig(
        dtype,
        warmupSteps,
        device,
        offload,
        useParallelVae,
        shardT5Encoder,
        useTorchCompile,
        tiling,
        enableSlicing,
        verbose,
        attentionKernel);
  }

  /** The same with decoding picture by picture or not. */
  public RuntimeConfig withSlicing(boolean slicing) {
    return new RuntimeConfig(
        dtype,
        warmupSteps,
        device,
        offload,
        useParallelVae,
        shardT5Encoder,
        useTorchCompile,
        enableTiling,
        slicing,
        verbose,
        attentionKernel);
  }

  /** The same with the plan shown or not. */
  public RuntimeConfig withVerbose(boolean shown) {
    return new RuntimeConfig(
        dtype,
        warmupSteps,
        device,
        offload,
        useParallelVae,
        shardT5Encoder,
        useTorchCompile,
        enableTiling,
        enableSlicing,
        shown,
        attentionKernel);
  }

  /** The same with self-attention by another kernel. */
  public RuntimeConfig withAttentionKernel(AttentionKernel kernel) {
    return new RuntimeConfig(
        dtype,
        warmupSteps,
        device,
        offload,
        useParallelVae,
        shardT5Encoder,
        useTorchCompile,
        enableTiling,
        enableSlicing,
        verbose,
        kernel);
  }
}
