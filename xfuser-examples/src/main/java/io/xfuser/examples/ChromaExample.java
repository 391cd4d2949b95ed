package io.xfuser.examples;

import io.xfuser.cli.runner.Runner;

/**
 * Pictures by Chroma1-HD, Base or Flash, for example on two CFG ranks:
 *
 * <pre>
 * scripts/xfrun --nproc_per_node 2 ChromaExample --model DIR --prompt "a fox" \
 *     --negative_prompt "blurry" --num_inference_steps 40 --guidance_scale 3 --use_cfg_parallel
 * </pre>
 */
public final class ChromaExample {
  private ChromaExample() {}

  /** Exits with 0, with 2 for bad input, with 1 for another failure. */
  public static void main(String[] argv) {
    System.exit(new Runner(ChromaExample.class, "chroma").run(argv));
  }
}
