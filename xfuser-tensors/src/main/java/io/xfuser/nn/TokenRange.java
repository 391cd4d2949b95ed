package io.xfuser.nn;

/**
 * Consecutive tokens, by their positions in a sequence: {@code from} inclusive, {@code to}
 * exclusive.
 */
public record TokenRange(int from, int to) {
  /** Checks that the range is not backwards. */
  public TokenRange {
    if (from < 0 || to < from) {
      throw new IllegalArgumentException("no range of tokens from " + from + " to " + to);
    }
  }

  /** The number of positions. */
  public int length() {
    return to - from;
  }
}
