package io.xfuser.examples;

import io.xfuser.cli.runner.Runner;

/**
 * Pictures by Qwen-Image, for example with the prompt and the negative one on two ranks:
 *
 * <pre>
 * scripts/xfrun --nproc_per_node 2 QwenImageExample --model DIR --prompt "a fox" \
 *     --negative_prompt " " --use_cfg_parallel
 * </pre>
 */
public final class QwenImageExample {
  private QwenImageExample() {}

  /** Exits with 0, with 2 for bad input, with 1 for another failure. */
  public static void main(String[] argv) {
    System.exit(new Runner(QwenImageExample.class, "qwenimage").run(argv));
  }
}
