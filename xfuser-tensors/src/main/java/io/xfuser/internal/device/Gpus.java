package io.xfuser.internal.device;

import ai.djl.Device;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.failure.Retried;
import io.xfuser.torchscript.Program;
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

  private static final String STREAMS = "ai.djl.pytorch.enable_cuda_stream";

  /** Nothing if libtorch has not the operators: they are in libtorch_cuda. */
  private static final Retried<Optional<Program>> PROGRAM =
      new Retried<>(() -> Program.loadIfKnown(Gpus.class, "gpus.py"));

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
   *
   * @throws IllegalArgumentException as {@link #requireOneStream} does
   */
  public static void enter(Device device) {
    if (device.isGpu()) {
      requireOneStream();
      PROGRAM.get().ifPresent(program -> program.callLong("enter", device.getDeviceId()));
    }
  }

  /**
   * Refuses DJL's setting that gives each call a stream of its own: nothing waits for the end of
   * what is computed there, neither the next call nor a copy, so pictures would be wrong without a
   * word.
   *
   * @throws IllegalArgumentException if it is set, in one sentence
   */
  public static void requireOneStream() {
    if (Boolean.getBoolean(STREAMS)) {
      throw new ArgumentException(
          "-D"
              + STREAMS
              + "=true cannot be used with GPUs: each call would compute in a stream of its own,"
              + " and what follows would not wait for it");
    }
  }
}
