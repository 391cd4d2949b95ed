package io.xfuser.examples;

import io.xfuser.cli.runner.Runner;

/**
 * Pictures by PixArt-α, for example on two pipeline stages:
 *
 * <pre>
 * scripts/xfrun --nproc_per_node 2 PixArtAlphaExample --model DIR --prompt "a fox" \
 *     --pipefusion_parallel_degree 2
 * </pre>
 */
public final class PixArtAlphaExample {
  private PixArtAlphaExample() {}

  /** Exits with 0, with 2 for bad input, with 1 for another failure. */
  public static void main(String[] argv) {
    System.exit(new Runner(PixArtAlphaExample.class, "pixart_alpha").run(argv));
  }
}
