package io.xfuser.examples;

import io.xfuser.cli.runner.Runner;

/**
 * Pictures by Flux.1 schnell and dev, for example on two pipeline stages of two Ulysses ranks each:
 *
 * <pre>
 * scripts/xfrun --nproc_per_node 4 FluxExample --model DIR --prompt "a fox" \
 *     --pipefusion_parallel_degree 2 --ulysses_degree 2
 * </pre>
 */
public final class FluxExample {
  private FluxExample() {}

  /** Exits with 0, with 2 for bad input, with 1 for another failure. */
  public static void main(String[] argv) {
    System.exit(new Runner(FluxExample.class, "flux").run(argv));
  }
}
