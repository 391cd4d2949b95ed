package io.xfuser.examples;

import io.xfuser.cli.runner.Runner;

/**
 * Videos by HunyuanVideo 1.5, for example on two Ulysses ranks:
 *
 * <pre>
 * scripts/xfrun --nproc_per_node 2 HunyuanVideoExample --model DIR --prompt "a fox" \
 *     --num_frames 33 --ulysses_degree 2
 * </pre>
 */
public final class HunyuanVideoExample {
  private HunyuanVideoExample() {}

  /** Exits with 0, with 2 for bad input, with 1 for another failure. */
  public static void main(String[] argv) {
    System.exit(new Runner(HunyuanVideoExample.class, "hunyuanvideo15").run(argv));
  }
}
