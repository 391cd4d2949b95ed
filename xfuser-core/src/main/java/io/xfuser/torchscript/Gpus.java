package io.xfuser.torchscript;

import ai.djl.Device;
import io.xfuser.failure.Retried;
import java.util.Optional;

/**
 * The GPUs that libtorch can compute on.
 *
 * @param cuda whether libtorch is one that knows CUDA
 * @param count the number of GPUs that it finds, those that {@code CUDA_VISIBLE_DEVICES} leaves
 */
public record Gpus(boolean cuda, int count) {
  /** A libtorch for CPUs. */
  public static final Gpus NONE = new Gpus(false, 0);

  /** Nothing if libtorch has not the operators: they are in libtorch_cuda. */
  private static final Retried<Optional<Program>> PROGRAM =
      new Retried<>(
          () -> Program.compileIfKnown("gpus.py", ModuleArchive.read(Gpus.class, "gpus.py")));

  private static final Retried<Gpus> FOUND =
      new Retried<>(
          () ->
              PROGRAM
                  .get()
                  .map(program -> new Gpus(true, Math.toIntExact(program.callLong("count"))))
                  .orElse(NONE));

  /** Rejects GPUs that nobody can use. */
  public Gpus {
    if (count < 0 || (count > 0 && !cuda)) {
      throw new IllegalArgumentException(count + " GPUs for a libtorch with CUDA: " + cuda);
    }
  }

  /** Those of this process; looked for once, without a word. */
  public static Gpus found() {
    return FOUND.get();
  }

  /**
   * Makes {@code device} the calling thread's own, if it is a GPU. Programs compute where their
   * inputs are anyway; but CUDA itself comes back to a thread's GPU after each look at another, and
   * that takes some hundred MB there, which no process should take of a GPU that it does not use.
   */
  public static void enter(Device device) {
    if (device.isGpu()) {
      PROGRAM.get().ifPresent(program -> program.callLong("enter", device.getDeviceId()));
    }
  }
}
