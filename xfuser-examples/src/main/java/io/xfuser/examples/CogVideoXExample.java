package io.xfuser.examples;

import io.xfuser.cli.runner.Runner;

/**
 * Videos by CogVideoX, for example on two Ulysses ranks:
 *
 * <pre>
 * scripts/xfrun --nproc_per_node 2 CogVideoXExample --model DIR --prompt "a fox" \
 *     --num_frames 25 --ulysses_degree 2
 * </pre>
 */
public final class CogVideoXExample {
  private CogVideoXExample() {}

  /** Exits with 0, with 2 for bad input, with 1 for another failure. */
  public static void main(String[] argv) {
    System.exit(new Runner(CogVideoXExample.class, "cogvideox").run(argv));
  }
}
