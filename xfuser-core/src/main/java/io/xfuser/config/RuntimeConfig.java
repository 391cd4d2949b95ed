package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** How the computation runs, whatever its layout. */
public final class RuntimeConfig extends Settings {
  /** More threads than any machine has cores; some number of them ends the JVM. */
  private static final int MOST_THREADS = 1024;

  public static final Setting<Integer> WARMUP_STEPS =
      Setting.of(
              "warmup_steps",
              Kind.whole(0),
              "W",
              "First steps without stale activations in PipeFusion and DistriFusion")
          .or(1);

  public static final Setting<ElementType> DTYPE =
      Setting.of(
              "dtype",
              RuntimeKinds.ELEMENTS,
              "TYPE",
              "float32, bfloat16 or float16, also fp32, bf16, fp16")
          .or(ElementType.FLOAT32);

  public static final Setting<DeviceChoice> DEVICE =
      Setting.of(
              "device",
              Kind.parsed(DeviceChoice.class, DeviceChoice::of, DeviceChoice::toString),
              "NAME",
              "cpu; cuda: each rank on the next GPU; cuda:i: all on that one; auto: cuda where"
                  + " there is one, else cpu")
          .or(DeviceChoice.AUTO);

  public static final Setting<Offload> OFFLOAD = Offload.SETTING;
  public static final Setting<Integer> OFFLOAD_CHUNK_MB = Offload.CHUNK_MB;
  public static final Setting<Double> RESIDENT_RATIO = Offload.RATIO;
  public static final Setting<Long> MAX_MEMORY = Offload.MEMORY;

  public static final Setting<Boolean> ENABLE_TILING =
      Setting.off("enable_tiling", "The VAE decodes overlapping tiles, for less memory");
  public static final Setting<Boolean> ENABLE_SLICING =
      Setting.off("enable_slicing", "The VAE decodes one picture at a time, for less memory");

  public static final Setting<Boolean> USE_PARALLEL_VAE =
      Setting.off("use_parallel_vae", "The ranks of a picture share its decoding");

  public static final Setting<Boolean> SHARD_TEXT_ENCODER =
      Setting.off("shard_text_encoder", "The ranks of a picture share its text encoder");

  public static final Setting<AttentionKernel> ATTENTION_BACKEND =
      Setting.of(
              "attention_backend",
              RuntimeKinds.KERNEL,
              "KERNEL",
              "Kernel of self-attention: sdpa (libtorch's choice), sdpa_flash, sdpa_math, and on"
                  + " CUDA sdpa_efficient and cudnn")
          .or(AttentionKernel.FASTEST, "the fastest");

  public static final Setting<Boolean> FUSED_KERNELS =
      Setting.off("fused_kernels", "xfuser's own CUDA kernels, on GPUs; not yet tried on one");

  public static final Setting<Integer> THREADS =
      Setting.of("threads", Kind.whole(1, MOST_THREADS), "N", "Threads of the CPU for each rank")
          .open("OMP_NUM_THREADS, else cores divided by ranks");

  public static final Setting<Boolean> VERBOSE =
      Setting.off("verbose", "Show who owns which blocks, patches and heads");

  public static final List<Setting<?>> SETTINGS =
      List.of(
          WARMUP_STEPS,
          DTYPE,
          DEVICE,
          OFFLOAD,
          OFFLOAD_CHUNK_MB,
          RESIDENT_RATIO,
          MAX_MEMORY,
          ENABLE_TILING,
          ENABLE_SLICING,
          USE_PARALLEL_VAE,
          SHARD_TEXT_ENCODER,
          ATTENTION_BACKEND,
          FUSED_KERNELS,
          THREADS,
          VERBOSE);

  private RuntimeConfig(Builder builder) {
    super(builder);
    if (device().kind() == DeviceChoice.DeviceType.CPU && forGpus().isPresent()) {
      throw new ArgumentException(forGpus().get() + " needs a GPU, but the device is cpu");
    }
    Offload.check(this);
  }

  /** float32 on GPUs where there are some, else on the CPU; one warm-up step, no options. */
  public static Builder builder() {
    return new Builder();
  }

  /** A builder that starts from these values. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  @Override
  public List<Setting<?>> settings() {
    return SETTINGS;
  }

  /** First steps in which no key or value is stale, ≥ 0. */
  public int warmupSteps() {
    return value(WARMUP_STEPS);
  }

  /** The element type of weights and hidden states: float32, bfloat16 or float16. */
  public ElementType dtype() {
    return value(DTYPE);
  }

  /** Where ranks compute. */
  public DeviceChoice device() {
    return value(DEVICE);
  }

  /** What happens to weights while they are not in use. */
  public Offload offload() {
    return value(OFFLOAD);
  }

  /** How layers are read, and which stay, where they are read ahead of use. */
  public Offload.Residency residency() {
    return Offload.Residency.of(this);
  }

  /** Whether the VAE decodes overlapping tiles. */
  public boolean enableTiling() {
    return value(ENABLE_TILING);
  }

  /** Whether the VAE decodes one picture at a time. */
  public boolean enableSlicing() {
    return value(ENABLE_SLICING);
  }

  /** Whether the ranks share the decoding of a picture. */
  public boolean useParallelVae() {
    return value(USE_PARALLEL_VAE);
  }

  /** Whether the ranks share the text encoder. */
  public boolean shardTextEncoder() {
    return value(SHARD_TEXT_ENCODER);
  }

  /** What computes self-attention over image tokens. */
  public AttentionKernel attentionBackend() {
    return value(ATTENTION_BACKEND);
  }

  /** Whether the project's own kernels compute on GPUs what they can. */
  public boolean fusedKernels() {
    return value(FUSED_KERNELS);
  }

  /** Threads of the CPU for each rank; 0 = its share of the cores. */
  public int threads() {
    return Objects.requireNonNullElse(get(THREADS), 0);
  }

  /** Whether the plan is shown. */
  public boolean verbose() {
    return value(VERBOSE);
  }

  /** Whether something was asked for that only a GPU can do. */
  public boolean needsGpu() {
    return device().kind() == DeviceChoice.DeviceType.CUDA || forGpus().isPresent();
  }

  /** What was asked for that only a GPU can do, as it was, beside the device. */
  public Optional<String> forGpus() {
    if (offload() == Offload.MODEL || offload() == Offload.SEQUENTIAL) {
      return Optional.of(OFFLOAD.with(offload()));
    }
    return fusedKernels() ? Optional.of(FUSED_KERNELS.with(true)) : Optional.empty();
  }

  /** Values that are being put together. */
  public static final class Builder extends Settings.Builder<Builder> {
    private Builder() {}

    private Builder(RuntimeConfig from) {
      super(from);
    }

    @Override
    Builder self() {
      return this;
    }

    @Override
    public List<Setting<?>> settings() {
      return SETTINGS;
    }

    /**
     * First steps in which no key or value is stale, for PipeFusion and DistriFusion, at least 0; 1
     * by default. Each waits for all others' patches: slower, and nearer to one rank's picture.
     */
    public Builder warmupSteps(int steps) {
      return set(WARMUP_STEPS, steps);
    }

    /** Element type of weights and hidden states, float32 by default; 16 bits take half of it. */
    public Builder dtype(ElementType type) {
      return set(DTYPE, type);
    }

    /** Where ranks compute: auto (the default), cpu, cuda, {@code cuda:i}. */
    public Builder device(String name) {
      return set(DEVICE, name);
    }

    /** Where ranks compute; by default on GPUs where there are some, else on the CPU. */
    public Builder device(DeviceChoice choice) {
      return set(DEVICE, choice);
    }

    /** Which weights are in memory only while they are used, none by default; slower. */
    public Builder offload(Offload what) {
      return set(OFFLOAD, what);
    }

    /** MiB of a file that are read at a time, 1 to 2047, of {@link Offload#LAYERWISE}. */
    public Builder offloadChunkMb(int mebibytes) {
      return set(OFFLOAD_CHUNK_MB, mebibytes);
    }

    /** Which part of the blocks stays, 0 to 1, of {@link Offload#LAYERWISE}; 0 by default. */
    public Builder residentRatio(double ratio) {
      return set(RESIDENT_RATIO, ratio);
    }

    /** Memory for this process, {@code 8GB} for example: as many blocks stay as fit into it. */
    public Builder maxMemory(String size) {
      return set(MAX_MEMORY, size);
    }

    /** The VAE decodes overlapping tiles: less memory, slightly another picture; off by default. */
    public Builder enableTiling(boolean tiling) {
      return set(ENABLE_TILING, tiling);
    }

    /** The VAE decodes one picture at a time: less memory; off by default. */
    public Builder enableSlicing(boolean slicing) {
      return set(ENABLE_SLICING, slicing);
    }

    /** The ranks of a picture share its decoding, by strips of rows; off by default. */
    public Builder useParallelVae(boolean parallel) {
      return set(USE_PARALLEL_VAE, parallel);
    }

    /** The ranks of a picture share its text encoder, and its memory; off by default. */
    public Builder shardTextEncoder(boolean sharded) {
      return set(SHARD_TEXT_ENCODER, sharded);
    }

    /** What computes self-attention over image tokens; by default the fastest that was measured. */
    public Builder attentionBackend(AttentionKernel kernel) {
      return set(ATTENTION_BACKEND, kernel);
    }

    /** The project's own kernels compute on GPUs what they can; off by default. */
    public Builder fusedKernels(boolean fused) {
      return set(FUSED_KERNELS, fused);
    }

    /** Threads of each rank, 1 to 1024; 0, the default: OMP_NUM_THREADS, else cores by ranks. */
    public Builder threads(int perRank) {
      return set(THREADS, perRank == 0 ? null : perRank);
    }

    /** The plan is logged: who owns which blocks, patches and heads; off by default. */
    public Builder verbose(boolean shown) {
      return set(VERBOSE, shown);
    }

    /** The values; an ArgumentException if a run on the CPU asks for what only a GPU can do. */
    public RuntimeConfig build() {
      return new RuntimeConfig(this);
    }
  }
}
