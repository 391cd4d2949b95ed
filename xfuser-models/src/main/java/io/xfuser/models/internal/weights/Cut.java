package io.xfuser.models.internal.weights;

/**
 * A part of a tensor.
 *
 * @param dim the dimension that is cut
 * @param from the first element along it, inclusive
 * @param to the last one, exclusive
 */
public record Cut(int dim, long from, long to) {
  /** Checks that the cut is not backwards. */
  public Cut {
    if (dim < 0 || from < 0 || to < from) {
      throw new IllegalArgumentException(
          "no cut of dimension " + dim + " from " + from + " to " + to);
    }
  }

  /** The same, {@code by} elements further on. */
  public Cut shifted(long by) {
    return new Cut(dim, from + by, to + by);
  }

  /** The number of elements along the dimension. */
  public long length() {
    return to - from;
  }
}
