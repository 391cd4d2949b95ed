package io.xfuser.torchscript;

import ai.djl.Device;
import org.jspecify.annotations.Nullable;

/**
 * The GPUs that libtorch can compute on.
 *
 * @param cuda whether libtorch is one that knows CUDA
 * @param count the number of GPUs that it finds, those that {@code CUDA_VISIBLE_DEVICES} leaves
 */
public record Gpus(boolean cuda, int count) {
  /** A libtorch for CPUs. */
  public static final Gpus NONE = new Gpus(false, 0);

  /** Rejects GPUs that nobody can use. */
  public Gpus {
    if (count < 0 || (count > 0 && !cuda)) {
      throw new IllegalArgumentException(count + " GPUs for a libtorch with CUDA: " + cuda);
    }
  }

  /** Those of this process; looked for once, without a word. */
  public static Gpus found() {
    return Found.GPUS;
  }

  /**
   * Makes {@code device} the calling thread's own, if it is a GPU. Programs compute where their
   * inputs are anyway; but CUDA itself comes back to a thread's GPU after each look at another, and
   * that takes some hundred MB there, which no process should take of a GPU that it does not use.
   */
  public static void enter(Device device) {
    Program program = Found.PROGRAM;
    if (device.isGpu() && program != null) {
      program.callLong("enter", device.getDeviceId());
    }
  }

  private static final class Found {
    /** Null if libtorch has not the operators: they are in libtorch_cuda. */
    static final @Nullable Program PROGRAM = compile();

    static final Gpus GPUS =
        PROGRAM == null ? NONE : new Gpus(true, Math.toIntExact(PROGRAM.callLong("count")));

    private static @Nullable Program compile() {
      try {
        return Program.compile("gpus.py", ModuleArchive.read(Gpus.class, "gpus.py"));
      } catch (IllegalStateException e) {
        return null;
      }
    }
  }
}
