package io.xfuser.examples;

import io.xfuser.cli.runner.Runner;

/**
 * Pictures by Z-Image and Z-Image-Turbo, for example on two Ulysses ranks:
 *
 * <pre>
 * scripts/xfrun --nproc_per_node 2 ZImageExample --model DIR --prompt "a fox" \
 *     --num_inference_steps 9 --guidance_scale 0 --ulysses_degree 2
 * </pre>
 */
public final class ZImageExample {
  private ZImageExample() {}

  /** Exits with 0, with 2 for bad input, with 1 for another failure. */
  public static void main(String[] argv) {
    System.exit(new Runner(ZImageExample.class, "zimage").run(argv));
  }
}
