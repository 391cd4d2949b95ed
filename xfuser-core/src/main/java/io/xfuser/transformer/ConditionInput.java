package io.xfuser.transformer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.Sequence;
import java.util.List;
import java.util.Map;

/**
 * What a request tells the transformer.
 *
 * @param text the text encoder's tensors by name, dimension 0 is the batch; with guidance on one
 *     rank the negative prompts come first
 * @param picture what is generated
 * @param positions the positions in {@link Picture#sequence} of the tokens that this rank owns
 * @param timesteps those that the loop is going to ask for, call by call
 */
public record ConditionInput(
    Map<String, NDArray> text, Picture picture, List<Long> positions, List<Double> timesteps) {
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

  /**
   * Where the tokens lie that this rank owns: segment, frame, row and column of each, (l, 4) of
   * integers, on the device of {@code like}.
   */
  public NDArray coordinates(NDManager owner, NDArray like) {
    long[] all = positions.stream().mapToLong(Long::longValue).toArray();
    return picture.sequence().coordinates(owner, all, like);
  }

  /**
   * What is generated.
   *
   * @param height in pixels
   * @param width in pixels
   * @param frames of a video's latents, 1 for a picture
   * @param sequence its tokens, and what it refers to
   * @param guidance the strength of the prompt, for transformers that have it as a condition
   * @param sizes what transformers that have sizes as a condition are told of them
   * @param still frames of a video's latents, the first ones, that are given and stay: their tokens
   *     are at timestep 0 in every step
   */
  public record Picture(
      int height,
      int width,
      int frames,
      Sequence sequence,
      double guidance,
      Sizes sizes,
      int still) {
    /** Told of its own size alone. */
    public Picture(int height, int width, int frames, Sequence sequence, double guidance) {
      this(height, width, frames, sequence, guidance, Sizes.of(height, width), 0);
    }
  }

  /**
   * A picture's place in another one that it was cut from (arXiv 2307.01952, section 2.2); each is
   * height and width, or row and column.
   *
   * @param original the size of the other one
   * @param target the size of the picture
   * @param corner where its top left corner lies
   */
  public record Sizes(List<Integer> original, List<Integer> target, List<Integer> corner) {
    /** All of a picture of this size. */
    public static Sizes of(int height, int width) {
      return new Sizes(List.of(height, width), List.of(height, width), List.of(0, 0));
    }
  }
}
