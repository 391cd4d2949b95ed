package io.xfuser.nn;

/** Consecutive positions of a sequence: {@code from} inclusive, {@code to} exclusive. */
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

  /** The {@code i}-th of {@code n} contiguous shards; their lengths differ by at most one. */
  public TokenRange shard(int i, int n) {
    return new TokenRange(
        Math.toIntExact(from + (long) length() * i / n),
        Math.toIntExact(from + (long) length() * (i + 1) / n));
  }
}
