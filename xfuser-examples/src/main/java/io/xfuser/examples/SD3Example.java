package io.xfuser.examples;

import io.xfuser.cli.runner.Runner;

/**
 * Pictures by Stable Diffusion 3 and 3.5, for example with the negative and the positive prompt on
 * two ranks each:
 *
 * <pre>
 * scripts/xfrun --nproc_per_node 4 SD3Example --model DIR --prompt "a fox" \
 *     --use_cfg_parallel --ulysses_degree 2
 * </pre>
 */
public final class SD3Example {
  private SD3Example() {}

  /** Exits with 0, with 2 for bad input, with 1 for another failure. */
  public static void main(String[] argv) {
    System.exit(new Runner(SD3Example.class, "sd3").run(argv));
  }
}
