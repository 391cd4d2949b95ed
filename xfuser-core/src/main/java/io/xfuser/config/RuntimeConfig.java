package io.xfuser.config;

import io.xfuser.torchscript.ElementType;

/**
 * How the computation runs, whatever its layout.
 *
 * @param dtype the element type of weights and hidden states: float32, bfloat16 or float16
 * @param warmupSteps first steps that run the whole image through the PipeFusion stages, ≥ 0
 * @param device {@code cpu} or {@code cuda}
 * @param useParallelVae the ranks share the decoding of a picture
 * @param shardT5Encoder the ranks share the T5 text encoder
 * @param useTorchCompile xDiT's switch for torch.compile
 * @param enableTiling the VAE decodes overlapping tiles
 * @param enableSlicing the VAE decodes one picture at a time
 * @param verbose the plan is shown: who owns which blocks, patches and heads
 */
public record RuntimeConfig(
    ElementType dtype,
    int warmupSteps,
    String device,
    boolean useParallelVae,
    boolean shardT5Encoder,
    boolean useTorchCompile,
    boolean enableTiling,
    boolean enableSlicing,
    boolean verbose) {

  /**
   * Checks each value.
   *
   * @throws ArgumentException for another element type or device, or fewer than 0 warm-up steps
   */
  public RuntimeConfig {
    switch (dtype) {
      case FLOAT32, BFLOAT16, FLOAT16 -> {}
      default ->
          throw new ArgumentException(
              "the element type must be float32, bfloat16 or float16, but is " + dtype.torchName());
    }
    Check.atLeast(0, warmupSteps, "the number of warm-up steps");
    if (!device.equals("cpu") && !device.equals("cuda")) {
      throw new ArgumentException("the device must be cpu or cuda, but is " + device);
    }
  }

  /** float32 on the CPU with one warm-up step, and everything optional off. */
  public static RuntimeConfig defaults() {
    return new RuntimeConfig(
        ElementType.FLOAT32, 1, "cpu", false, false, false, false, false, false);
  }

  /** The same in another element type. */
  public RuntimeConfig withDtype(ElementType type) {
    return new RuntimeConfig(
        type,
        warmupSteps,
        device,
        useParallelVae,
        shardT5Encoder,
        useTorchCompile,
        enableTiling,
        enableSlicing,
        verbose);
  }

  /** The same with another number of warm-up steps. */
  public RuntimeConfig withWarmupSteps(int steps) {
    return new RuntimeConfig(
        dtype,
        steps,
        device,
        useParallelVae,
        shardT5Encoder,
        useTorchCompile,
        enableTiling,
        enableSlicing,
        verbose);
  }

  /** The same on another device. */
  public RuntimeConfig withDevice(String name) {
    return new RuntimeConfig(
        dtype,
        warmupSteps,
        name,
        useParallelVae,
        shardT5Encoder,
        useTorchCompile,
        enableTiling,
        enableSlicing,
        verbose);
  }

  /** The same with the decoding shared among the ranks or not. */
  public RuntimeConfig withParallelVae(boolean parallel) {
    return new RuntimeConfig(
        dtype,
        warmupSteps,
        device,
        parallel,
        shardT5Encoder,
        useTorchCompile,
        enableTiling,
        enableSlicing,
        verbose);
  }

  /** The same with the T5 text encoder shared among the ranks or not. */
  public RuntimeConfig withShardedT5Encoder(boolean sharded) {
    return new RuntimeConfig(
        dtype,
        warmupSteps,
        device,
        useParallelVae,
        sharded,
        useTorchCompile,
        enableTiling,
        enableSlicing,
        verbose);
  }

  /** The same with decoding in tiles or not. */
  public RuntimeConfig withTiling(boolean tiling) {
    return new RuntimeConfig(
        dtype,
        warmupSteps,
        device,
        useParallelVae,
        shardT5Encoder,
        useTorchCompile,
        tiling,
        enableSlicing,
        verbose);
  }

  /** The same with decoding picture by picture or not. */
  public RuntimeConfig withSlicing(boolean slicing) {
    return new RuntimeConfig(
        dtype,
        warmupSteps,
        device,
        useParallelVae,
        shardT5Encoder,
        useTorchCompile,
        enableTiling,
        slicing,
        verbose);
  }

  /** The same with the plan shown or not. */
  public RuntimeConfig withVerbose(boolean shown) {
    return new RuntimeConfig(
        dtype,
        warmupSteps,
        device,
        useParallelVae,
        shardT5Encoder,
        useTorchCompile,
        enableTiling,
        enableSlicing,
        shown);
  }
}
