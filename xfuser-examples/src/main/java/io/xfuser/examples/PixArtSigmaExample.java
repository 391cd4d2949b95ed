package io.xfuser.examples;

import io.xfuser.cli.runner.Runner;

/**
 * Pictures by PixArt-Σ, for example on two pipeline stages:
 *
 * <pre>
 * scripts/xfrun --nproc_per_node 2 PixArtSigmaExample --model DIR --prompt "a fox" \
 *     --pipefusion_parallel_degree 2
 * </pre>
 */
public final class PixArtSigmaExample {
  private PixArtSigmaExample() {}

  /** Exits with 0, with 2 for bad input, with 1 for another failure. */
  public static void main(String[] argv) {
    System.exit(new Runner(PixArtSigmaExample.class, "pixart_sigma").run(argv));
  }
}
