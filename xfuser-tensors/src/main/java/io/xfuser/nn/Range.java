package io.xfuser.nn;

/**
 * Consecutive numbers of anything that ranks share out but tokens, which have {@link TokenRange}:
 * blocks, heads, pictures, rows. {@code from} inclusive, {@code to} exclusive.
 */
public record Range(int from, int to) {
  /** Checks that the range is not backwards. */
  public Range {
    if (from < 0 || to < from) {
      throw new IllegalArgumentException("no range from " + from + " to " + to);
    }
  }

  /** All of {@code count}. */
  public static Range of(int count) {
    return new Range(0, count);
  }

  /** How many there are. */
  public int length() {
    return to - from;
  }

  /** The {@code i}-th of {@code n} contiguous shards; their lengths differ by at most one. */
  public Range shard(int i, int n) {
    return new Range(
        Math.toIntExact(from + (long) length() * i / n),
        Math.toIntExact(from + (long) length() * (i + 1) / n));
  }
}
