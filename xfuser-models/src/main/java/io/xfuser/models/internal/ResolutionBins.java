package io.xfuser.models.internal;

import io.xfuser.model.GenerationRequest.Size;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * The sizes that a model was trained on, by aspect ratio.
 *
 * @param bins in diffusers' order: the first of equally near ones wins
 */
public record ResolutionBins(List<Bin> bins) {
  public ResolutionBins {
    bins = List.copyOf(bins);
  }

  /**
   * The sizes of one aspect ratio.
   *
   * @param ratio as the model's table has it: of height to width, or the other way round
   * @param sizes at least one
   */
  public record Bin(double ratio, List<Size> sizes) {}

  /** The bin nearest to {@code ratio}; of its sizes the one nearest to {@code area} in pixels. */
  public Size nearest(double ratio, long area) {
    Bin bin = first(bins, Comparator.comparingDouble(b -> Math.abs(b.ratio() - ratio)));
    return first(
        bin.sizes(),
        Comparator.comparingLong(size -> Math.abs((long) size.height() * size.width() - area)));
  }

  private static <T> T first(Collection<T> all, Comparator<T> order) {
    return all.stream().min(order).orElseThrow(); // of equal ones the first
  }
}
