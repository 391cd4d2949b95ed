package io.xfuser.transformer;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.Map;

/**
 * What a request tells the transformer.
 *
 * @param text the text encoder's tensors by name, dimension 0 is the batch; with guidance on one
 *     rank the negative prompts come first
 * @param height of the generated picture in pixels
 * @param width of the generated picture in pixels
 * @param grid rows and columns of tokens
 * @param positions the positions in the whole sequence of the tokens that this rank owns
 */
public record ConditionInput(
    Map<String, NDArray> text, int height, int width, Grid grid, List<Long> positions) {
  /** Rows and columns of tokens. */
  public record Grid(int rows, int columns) {
    /** The number of tokens. */
    public int tokens() {
      return rows * columns;
    }
  }
}
