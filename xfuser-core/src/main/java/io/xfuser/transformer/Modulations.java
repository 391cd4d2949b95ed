package io.xfuser.transformer;

import io.xfuser.torchscript.ElementType;
import org.jspecify.annotations.Nullable;

/**
 * Vectors as wide as the model that are made of a timestep, the shifts, scales and gates of a block
 * for example. They are computed for several steps at once, and kept until the last of these.
 *
 * @param vectors how many there are for a timestep on any device; where a GPU's kernels have more,
 *     these are not counted, since what is told is a lower bound
 * @param ofRows whether each row of a batch has its own; false: all share those of the timestep
 * @param type what they are in; null: the run's type
 */
public record Modulations(int vectors, boolean ofRows, @Nullable ElementType type) {
  /** Nothing is kept. */
  public static final Modulations NONE = shared(0);

  /**
   * So many rows are computed at once, with those of a batch counting for each step: a product of
   * as few takes as long as one of a single row, the time in which its weights are read. 34 MB in
   * bf16 for 57 blocks of width 3072.
   */
  public static final int ROWS = 16;

  /** So many for a timestep. */
  public static Modulations shared(int vectors) {
    return new Modulations(vectors, false, null);
  }

  /** So many for each row of a batch. */
  public static Modulations ofRows(int vectors) {
    return new Modulations(vectors, true, null);
  }

  /** The same in {@code type}, whatever the run's is. */
  public Modulations in(ElementType type) {
    return new Modulations(vectors, ofRows, type);
  }

  /** Steps whose modulations are computed together, of batches of {@code rows}. */
  public static int together(long rows) {
    return Math.toIntExact(Math.max(1, ROWS / rows));
  }

  /**
   * What is kept of a request.
   *
   * @param width of the model
   * @param batch its rows
   * @param steps that the request has
   * @param run the run's type
   */
  public double bytes(long width, long batch, int steps, ElementType run) {
    long rows = ofRows ? batch : 1;
    double elements = (double) vectors * width * rows * Math.min(together(rows), steps);
    return elements * (type == null ? run : type).bytes();
  }
}
