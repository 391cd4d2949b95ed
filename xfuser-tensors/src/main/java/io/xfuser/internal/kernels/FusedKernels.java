package io.xfuser.internal.kernels;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What {@code fused.cu} computes, for one thread that computes on one device. The operators {@code
 * xfuser::…} of TorchScript come here, on the thread that runs the program; each starts a kernel,
 * or declines, and the program goes on with libtorch's operators. Programs have these operators on
 * threads that have {@link #enter}ed alone.
 *
 * <p>An exception cannot pass through libtorch, so one is kept until the program ends: {@link
 * #takeFailure}.
 */
public final class FusedKernels {
  /** Operators have no other argument that a rank could be known by. */
  private static final ThreadLocal<Optional<FusedKernels>> OF_THREAD =
      ThreadLocal.withInitial(Optional::empty);

  private static final int MOST_HEAD = 256;
  private static final int WARP = 32;
  private static final int HEAD_THREADS = 128;
  private static final int TOKEN_THREADS = 256;
  private static final int RUN_THREADS = 256;

  private final Launcher launcher;
  private @Nullable RuntimeException failure;

  /**
   * By {@code launcher}; libtorch gets the operators, once in a process. It must be loaded.
   *
   * @throws io.xfuser.failure.PlatformException if this libtorch takes no operators from outside
   */
  public FusedKernels(Launcher launcher) {
    this.launcher = launcher;
    Operators.register();
  }

  /**
   * On a GPU, compiled for it.
   *
   * @param gpu its index
   * @throws io.xfuser.failure.PlatformException if that cannot be, in one sentence
   */
  public static FusedKernels on(int gpu) {
    return new FusedKernels(CudaLauncher.of(gpu));
  }

  /** Those of the calling thread. */
  public static Optional<FusedKernels> ofThread() {
    return OF_THREAD.get();
  }

  /** The calling thread's programs use these from now on. */
  public void enter() {
    OF_THREAD.set(Optional.of(this));
  }

  /** What a launch of this thread has thrown since the last call. */
  public Optional<RuntimeException> takeFailure() {
    Optional<RuntimeException> taken = Optional.ofNullable(failure);
    failure = null;
    return taken;
  }

  /** What {@code operator} says, but false if it throws, which {@link #takeFailure} tells. */
  boolean attempt(BooleanSupplier operator) {
    try {
      return operator.getAsBoolean();
    } catch (RuntimeException | Error e) {
      RuntimeException thrown =
          e instanceof RuntimeException own ? own : new IllegalStateException(e);
      failure = failure == null ? thrown : failure;
      return false;
    }
  }

  /**
   * Norms and turns queries and keys of {@code packed} (B, L, 3, H, D) in their place.
   *
   * @param weights (2, D)
   * @param rotation (L', D/2, 2) fp32 for the last L' tokens, which may be none
   * @return whether it will be done
   */
  boolean normRotate(KernelTensor packed, KernelTensor weights, KernelTensor rotation, float eps) {
    KernelType type = KernelType.of(packed, weights).orElse(null);
    if (type == null || !isHere(packed, weights, rotation) || !fits(packed, weights, rotation)) {
      return false;
    }
    long tokens = packed.size(1);
    long heads = packed.size(3);
    long size = packed.size(4);
    long rows = packed.size(0) * tokens * 2 * heads;
    if (rows > Integer.MAX_VALUE - HEAD_THREADS) {
      return false;
    }
    int lanes = Math.min(WARP, roundUpToPowerOfTwo(divideUp(size, type.perRun())));
    boolean aligned =
        type.isAligned(packed, packed.stride(0))
            && type.isAligned(packed, packed.stride(1))
            && type.isAligned(weights, size)
            && (rotation.size(0) == 0
                || KernelType.FLOAT32.isAligned(rotation, rotation.stride(0)));
    return start(
        "norm_rotate",
        type,
        divideUp(rows, HEAD_THREADS / lanes),
        HEAD_THREADS,
        packed.address(),
        packed.stride(0),
        packed.stride(1),
        weights.address(),
        rotation.address(),
        rotation.stride(0),
        (int) tokens,
        (int) heads,
        (int) size,
        (int) (tokens - rotation.size(0)),
        (int) rows,
        lanes,
        eps,
        aligned ? 1 : 0);
  }

  private static boolean fits(KernelTensor packed, KernelTensor weights, KernelTensor rotation) {
    boolean shaped =
        packed.dimensions() == 5
            && packed.size(2) == 3
            && packed.size(4) <= MOST_HEAD
            && packed.isDenseFrom(2)
            && weights.sizes().equals(List.of(2L, packed.size(4)))
            && weights.isDenseFrom(0);
    if (!shaped || rotation.dimensions() != 3 || rotation.size(0) == 0) {
      return shaped && rotation.dimensions() == 3;
    }
    return KernelType.FLOAT32.is(rotation)
        && rotation.size(0) <= packed.size(1)
        && 2 * rotation.size(1) == packed.size(4)
        && rotation.size(2) == 2
        && rotation.isDenseFrom(1);
  }

  /**
   * {@code out} = adaLN of {@code x}, both (B, L, C): layer norm times {@code factor} plus {@code
   * shift}, which are (C) or (B, 1, C).
   *
   * @return whether it will be done
   */
  boolean modulate(
      KernelTensor out, KernelTensor x, KernelTensor shift, KernelTensor factor, float eps) {
    TokenRows rows = TokenRows.of(launcher, List.of(out, x), List.of(shift, factor)).orElse(null);
    if (rows == null) {
      return false;
    }
    int threads = Math.min(TOKEN_THREADS, divideUp(rows.runs(), WARP) * WARP);
    return start(
        "modulate",
        rows.type(),
        (int) rows.count(),
        threads,
        out.address(),
        out.stride(0),
        out.stride(1),
        x.address(),
        x.stride(0),
        x.stride(1),
        shift.address(),
        rows.ofBatch(shift),
        factor.address(),
        rows.ofBatch(factor),
        (int) x.size(1),
        (int) x.size(2),
        eps,
        rows.isAligned() ? 1 : 0);
  }

  /**
   * {@code out} = {@code x} + {@code gate}·{@code y} of tokens (B, L, C), the gate (C) or (B, 1,
   * C); {@code out} may be {@code x}.
   *
   * @return whether it will be done
   */
  boolean addGated(KernelTensor out, KernelTensor x, KernelTensor y, KernelTensor gate) {
    TokenRows rows = TokenRows.of(launcher, List.of(out, x, y), List.of(gate)).orElse(null);
    if (rows == null) {
      return false;
    }
    return start(
        "add_gated",
        rows.type(),
        divideUp(rows.count() * rows.runs(), RUN_THREADS),
        RUN_THREADS,
        out.address(),
        out.stride(0),
        out.stride(1),
        x.address(),
        x.stride(0),
        x.stride(1),
        y.address(),
        y.stride(0),
        y.stride(1),
        gate.address(),
        rows.ofBatch(gate),
        (int) x.size(1),
        (int) x.size(2),
        (int) rows.count(),
        rows.isAligned() ? 1 : 0);
  }

  private boolean isHere(KernelTensor... tensors) {
    return Arrays.stream(tensors).allMatch(launcher::reaches);
  }

  private static int roundUpToPowerOfTwo(int n) {
    return n == 1 ? 1 : 2 * Integer.highestOneBit(n - 1);
  }

  static int divideUp(long all, long each) {
    return Math.toIntExact((all + each - 1) / each);
  }

  private boolean start(
      String kernel, KernelType type, int blocks, int threads, Number... arguments) {
    if (blocks > 0) {
      String name = kernel + "_" + type.suffix();
      launcher.launch(new Launch(name, blocks, threads, List.of(arguments)));
    }
    return true;
  }
}
