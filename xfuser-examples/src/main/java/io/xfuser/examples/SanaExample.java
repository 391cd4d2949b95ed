package io.xfuser.examples;

import io.xfuser.cli.runner.Runner;

/**
 * Pictures by SANA, for example on two Ulysses ranks:
 *
 * <pre>
 * scripts/xfrun --nproc_per_node 2 SanaExample --model DIR --prompt "a fox" \
 *     --ulysses_degree 2
 * </pre>
 */
public final class SanaExample {
  private SanaExample() {}

  /** Exits with 0, with 2 for bad input, with 1 for another failure. */
  public static void main(String[] argv) {
    System.exit(new Runner(SanaExample.class, "sana").run(argv));
  }
}
