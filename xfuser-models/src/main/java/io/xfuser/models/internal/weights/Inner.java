package io.xfuser.models.internal.weights;

import io.xfuser.weights.Share;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The width between a pair of layers: the heads of an attention, or the neurons of an MLP. What is
 * computed there needs nothing of its neighbours, so a {@link Share} of it can be computed alone;
 * what the second layer makes of all shares is added up.
 *
 * @param count heads or neurons
 * @param size the width of each
 */
public record Inner(int count, int size) {
  public static Inner heads(int heads, int headSize) {
    return new Inner(heads, headSize);
  }

  public static Inner neurons(int count) {
    return new Inner(count, 1);
  }

  public long width() {
    return (long) count * size;
  }

  /** What {@code share} has of dimension {@code dim}, along which this width lies. */
  public Cut cut(Share share, int dim) {
    long from = (long) share.of(count).from() * size;
    return new Cut(dim, from, from + (long) share.of(count).length() * size);
  }

  /** So many of the same width, one below the other. */
  public Several times(int times) {
    return new Several(this, times);
  }

  /**
   * Inner widths that lie one below the other: those of queries, keys and values for example.
   *
   * @param inner each of them
   * @param times how many they are
   */
  public record Several(Inner inner, int times) {
    public long width() {
      return inner.width() * times;
    }

    /** What {@code share} has of rows that begin at {@code from}: one part where all is its own. */
    List<Cut> rows(Share share, long from) {
      if (share.isWhole()) {
        return List.of(new Cut(0, from, from + width()));
      }
      Cut first = inner.cut(share, 0).shifted(from);
      return LongStream.range(0, times).mapToObj(i -> first.shifted(i * inner.width())).toList();
    }
  }
}
