package io.xfuser.examples;

import io.xfuser.cli.runner.Runner;

/**
 * Pictures by Flux.2 dev and klein, for example on two Ulysses ranks:
 *
 * <pre>
 * scripts/xfrun --nproc_per_node 2 Flux2Example --model DIR --prompt "a fox" \
 *     --num_inference_steps 4 --ulysses_degree 2
 * </pre>
 */
public final class Flux2Example {
  private Flux2Example() {}

  /** Exits with 0, with 2 for bad input, with 1 for another failure. */
  public static void main(String[] argv) {
    System.exit(new Runner(Flux2Example.class, "flux2").run(argv));
  }
}
