package io.xfuser.examples;

import io.xfuser.cli.runner.Runner;

/**
 * Videos by Latte, for example on two pipeline stages:
 *
 * <pre>
 * scripts/xfrun --nproc_per_node 2 LatteExample --model DIR --prompt "a fox" \
 *     --pipefusion_parallel_degree 2
 * </pre>
 */
public final class LatteExample {
  private LatteExample() {}

  /** Exits with 0, with 2 for bad input, with 1 for another failure. */
  public static void main(String[] argv) {
    System.exit(new Runner(LatteExample.class, "latte").run(argv));
  }
}
