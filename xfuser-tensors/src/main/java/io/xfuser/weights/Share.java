package io.xfuser.weights;

import io.xfuser.nn.Range;

/**
 * Which share of the inner width of its layers a block computes. All shares of a layer together are
 * the layer.
 *
 * @param part the number of this share, from 0
 * @param parts how many shares there are
 */
public record Share(int part, int parts) {
  /** Everything. */
  public static final Share WHOLE = new Share(0, 1);

  /** Checks that there is such a share. */
  public Share {
    if (part < 0 || part >= parts) {
      throw new IllegalArgumentException("no share " + part + " of " + parts);
    }
  }

  /** Whether this is all there is. */
  public boolean isWhole() {
    return parts == 1;
  }

  /** Whether this is the share that adds what must be added once. */
  public boolean isFirst() {
    return part == 0;
  }

  /** This share's of {@code count} things; the numbers of two shares differ by at most one. */
  public Range of(int count) {
    return Range.of(count).shard(part, parts);
  }

  /** {@code share 0 of 2} for example. */
  @Override
  public String toString() {
    return "share " + part + " of " + parts;
  }
}
