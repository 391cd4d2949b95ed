package io.xfuser.examples;

import io.xfuser.cli.runner.Runner;

/**
 * Pictures of ImageNet classes by DiT, for example on two pipeline stages:
 *
 * <pre>
 * scripts/xfrun --nproc_per_node 2 DiTExample --model DIR --class_labels 207 360 \
 *     --pipefusion_parallel_degree 2
 * </pre>
 */
public final class DiTExample {
  private DiTExample() {}

  /** Exits with 0, with 2 for bad input, with 1 for another failure. */
  public static void main(String[] argv) {
    System.exit(new Runner(DiTExample.class, "dit").run(argv));
  }
}
