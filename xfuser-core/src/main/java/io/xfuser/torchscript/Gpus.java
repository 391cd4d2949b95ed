package io.xfuser.torchscript;

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

  private static final class Found {
    static final Gpus GPUS = find();

    private static Gpus find() {
      Program program;
      try {
        // the operator is in libtorch_cuda: the text of the CPU's libtorch has no meaning for it
        program = Program.compile("gpus.py", ModuleArchive.read(Gpus.class, "gpus.py"));
      } catch (IllegalStateException e) {
        return NONE;
      }
      return new Gpus(true, Math.toIntExact(program.callLong("count")));
    }
  }
}
