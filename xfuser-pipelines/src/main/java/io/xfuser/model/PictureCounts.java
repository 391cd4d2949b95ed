package io.xfuser.model;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;

/** How many pictures a request is for. */
final class PictureCounts {
  private PictureCounts() {}

  /**
   * Checks that they can be counted, and that each has a seed where there are any.
   *
   * @param frames of a picture, in pixels
   * @throws ArgumentException with the numbers
   */
  static void check(InputConfig input, int prompts, int frames) {
    long drawn = (long) prompts * input.numImagesPerPrompt();
    if (drawn * frames > Integer.MAX_VALUE) {
      throw new ArgumentException(
          "num_images_per_prompt is %d, too many for %d prompts"
              .formatted(input.numImagesPerPrompt(), prompts));
    }
    int seeds = input.seeds().size();
    if (seeds != 0 && seeds != drawn) {
      throw new ArgumentException(
          "seeds must be as many as pictures, but are %d for %d".formatted(seeds, drawn));
    }
  }
}
