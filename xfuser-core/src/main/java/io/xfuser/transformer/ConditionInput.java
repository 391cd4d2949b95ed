package io.xfuser.transformer;

import ai.djl.ndarray.NDArray;
import io.xfuser.failure.ArgumentException;
import java.util.List;
import java.util.Map;

/**
 * What a request tells the transformer.
 *
 * @param text the text encoder's tensors by name, dimension 0 is the batch; with guidance on one
 *     rank the negative prompts come first
 * @param picture what is generated
 * @param positions the positions in the whole sequence of the tokens that this rank owns
 */
public record ConditionInput(Map<String, NDArray> text, Picture picture, List<Long> positions) {
  /**
   * The text tensor {@code name}.
   *
   * @throws IllegalArgumentException if there is none, which happens where a caller gives his own
   */
  public NDArray text(String name) {
    NDArray tensor = text.get(name);
    if (tensor == null) {
      throw new IllegalArgumentException(
          "the transformer needs the text tensor " + name + ", given are " + text.keySet());
    }
    return tensor;
  }

  /** {@link #positions} as an array. */
  public long[] positionArray() {
    return positions.stream().mapToLong(Long::longValue).toArray();
  }

  /**
   * What is generated.
   *
   * @param height in pixels
   * @param width in pixels
   * @param frames of a video, 1 for a picture; tokens (B·F, L, c) are those of each frame
   * @param grid rows and columns of tokens
   * @param guidance the strength of the prompt, for transformers that have it as a condition
   */
  public record Picture(int height, int width, int frames, Grid grid, double guidance) {}

  /** Rows and columns of tokens. */
  public record Grid(int rows, int columns) {
    /**
     * Checks that the tokens can be counted.
     *
     * @throws IllegalArgumentException with the numbers, if there are 2³¹ or more
     */
    public Grid {
      if ((long) rows * columns > Integer.MAX_VALUE) {
        throw new ArgumentException(
            "a picture of %d × %d tokens is too large: at most %d can be counted"
                .formatted(rows, columns, Integer.MAX_VALUE));
      }
    }

    /** The number of tokens. */
    public int tokens() {
      return rows * columns;
    }
  }
}
