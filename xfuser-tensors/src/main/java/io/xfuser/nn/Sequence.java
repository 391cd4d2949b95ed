package io.xfuser.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ArgumentException;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The tokens that attend one another beside those of the text: segments one after another, each
 * with axes of its own. The first one is denoised; the others are what it refers to, pictures that
 * were given for example. A token's position is counted over all of them.
 *
 * @param segments at least one
 */
public record Sequence(List<Axes> segments) {
  /**
   * Copies the list and checks that the tokens can be counted.
   *
   * @throws ArgumentException with the numbers, if there are 2³¹ or more
   */
  public Sequence {
    segments = List.copyOf(segments);
    if (segments.isEmpty()) {
      throw new IllegalArgumentException("a sequence of no segments");
    }
    double tokens = segments.stream().mapToDouble(Axes::tokens).sum();
    requireCountable(tokens, "%d pictures of %.0f".formatted(segments.size(), tokens));
  }

  /** What is denoised alone. */
  public Sequence(Axes denoised) {
    this(List.of(denoised));
  }

  /**
   * A segment's tokens along time and the sides of a picture; columns run first, frames last.
   *
   * @param frames of tokens, 1 for a picture
   * @param rows of tokens
   * @param columns of tokens
   */
  public record Axes(int frames, int rows, int columns) {
    /**
     * Checks that the tokens can be counted.
     *
     * @throws ArgumentException with the numbers, if there are 2³¹ or more
     */
    public Axes {
      requireCountable(
          (double) frames * rows * columns,
          (frames == 1
                  ? "a picture (height × width) of "
                  : "a video (num_frames × height × width) of " + frames + " × ")
              + rows
              + " × "
              + columns);
    }

    /** The number of tokens. */
    public int tokens() {
      return frames * rows * columns;
    }
  }

  private static void requireCountable(double tokens, String what) {
    if (tokens > Integer.MAX_VALUE) {
      throw new ArgumentException(
          "%s tokens is too large: at most %d can be counted".formatted(what, Integer.MAX_VALUE));
    }
  }

  /** The axes of what is denoised. */
  public Axes denoised() {
    return segments.get(0);
  }

  /** Tokens of all segments. */
  public int tokens() {
    return segments.stream().mapToInt(Axes::tokens).sum();
  }

  /**
   * Where tokens lie: segment, frame, row and column of each, (l, 4) of integers.
   *
   * @param positions of l tokens
   * @param like on whose device
   */
  public NDArray coordinates(NDManager owner, long[] positions, NDArray like) {
    long[] axes =
        segments.stream()
            .flatMapToLong(axis -> LongStream.of(axis.frames(), axis.rows(), axis.columns()))
            .toArray();
    return Patchify.PROGRAM.call(owner, "coordinates", positions, axes, like);
  }
}
