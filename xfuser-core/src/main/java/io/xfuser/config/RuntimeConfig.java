package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import java.util.function.Consumer;

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
 * @param threads of the CPU for each rank, 0 to {@value #MOST_THREADS}; 0 = as many as
 *     OMP_NUM_THREADS says, else the machine's cores divided by its ranks
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
    AttentionKernel attentionKernel,
    int threads) {

  /** More threads than any machine has cores; some number of them ends the JVM. */
  private static final int MOST_THREADS = 1024;

  /**
   * Checks each value.
   *
   * @throws ArgumentException for another element type, fewer than 0 warm-up steps, weights that
   *     are to leave the GPU of a run on the CPU, or an impossible number of threads
   */
  public RuntimeConfig {
    switch (dtype) {
      case FLOAT32, BFLOAT16, FLOAT16 -> {}
      default ->
          throw new ArgumentException(
              "the element type must be float32, bfloat16 or float16, but is " + dtype.torchName());
    }
    Check.atLeast(0, warmupSteps, "the number of warm-up steps");
    if (offload != Offload.NONE && device.kind() == DeviceChoice.DeviceType.CPU) {
      throw new ArgumentException("Offload." + offload + " needs a GPU, but the device is cpu");
    }
    if (threads < 0 || threads > MOST_THREADS) {
      throw new ArgumentException(
          "the threads of a rank must be from 1 to %d, or 0 for its share of the cores, but are %d"
              .formatted(MOST_THREADS, threads));
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
        AttentionKernel.FASTEST,
        0);
  }

  /** Whether something was asked for that only a GPU can do. */
  public boolean needsGpu() {
    return device.kind() == DeviceChoice.DeviceType.CUDA || offload != Offload.NONE;
  }

  /** The same in another element type. */
  public RuntimeConfig withDtype(ElementType type) {
    return with(draft -> draft.dtype = type);
  }

  /** The same with another number of warm-up steps. */
  public RuntimeConfig withWarmupSteps(int steps) {
    return with(draft -> draft.warmupSteps = steps);
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
    return with(draft -> draft.device = choice);
  }

  /** The same with weights leaving the GPU or not. */
  public RuntimeConfig withOffload(Offload what) {
    return with(draft -> draft.offload = what);
  }

  /** The same with the decoding shared among the ranks or not. */
  public RuntimeConfig withParallelVae(boolean parallel) {
    return with(draft -> draft.useParallelVae = parallel);
  }

  /** The same with the T5 text encoder shared among the ranks or not. */
  public RuntimeConfig withShardedT5Encoder(boolean sharded) {
    return with(draft -> draft.shardT5Encoder = sharded);
  }

  /** The same with decoding in tiles or not. */
  public RuntimeConfig withTiling(boolean tiling) {
    return with(draft -> draft.enableTiling = tiling);
  }

  /** The same with decoding picture by picture or not. */
  public RuntimeConfig withSlicing(boolean slicing) {
    return with(draft -> draft.enableSlicing = slicing);
  }

  /** The same with the plan shown or not. */
  public RuntimeConfig withVerbose(boolean shown) {
    return with(draft -> draft.verbose = shown);
  }

  /** The same with self-attention by another kernel. */
  public RuntimeConfig withAttentionKernel(AttentionKernel kernel) {
    return with(draft -> draft.attentionKernel = kernel);
  }

  /** The same with another number of threads for each rank; 0 = its share of the cores. */
  public RuntimeConfig withThreads(int perRank) {
    return with(draft -> draft.threads = perRank);
  }

  private RuntimeConfig with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.done();
  }

  /** All settings, to be changed. */
  private static final class Draft {
    private ElementType dtype;
    private int warmupSteps;
    private DeviceChoice device;
    private Offload offload;
    private boolean useParallelVae;
    private boolean shardT5Encoder;
    private boolean useTorchCompile;
    private boolean enableTiling;
    private boolean enableSlicing;
    private boolean verbose;
    private AttentionKernel attentionKernel;
    private int threads;

    Draft(RuntimeConfig from) {
      dtype = from.dtype;
      warmupSteps = from.warmupSteps;
      device = from.device;
      offload = from.offload;
      useParallelVae = from.useParallelVae;
      shardT5Encoder = from.shardT5Encoder;
      useTorchCompile = from.useTorchCompile;
      enableTiling = from.enableTiling;
      enableSlicing = from.enableSlicing;
      verbose = from.verbose;
      attentionKernel = from.attentionKernel;
      threads = from.threads;
    }

    RuntimeConfig done() {
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
          attentionKernel,
          threads);
    }
  }
}
