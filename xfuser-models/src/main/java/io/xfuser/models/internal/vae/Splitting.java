package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ArgumentException;
import io.xfuser.nn.Range;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext.LayerListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How pictures or frames pass the layers of an encoder or decoder: some at a time, whole, by tiles
 * or by strips.
 *
 * @param tiling how tiles lie
 * @param together so many at a time
 * @param tiled by tiles, if there are several
 * @param share what passes here
 * @param listener is told of each layer
 */
record Splitting(Tiling tiling, int together, boolean tiled, Share share, LayerListener listener) {
  /**
   * A strip's part of the rows.
   *
   * @param strip among the others
   * @param unit rows that stay together, because they become one: the first row of each strip is a
   *     multiple of it
   */
  record Share(Strip strip, int unit) {
    Range of(int height) {
      int units = height / unit;
      if (strip.count() > units) {
        throw new ArgumentException(
            strip.count() + " strips are too many for " + units + " rows of latents");
      }
      Range own = strip.of(units);
      boolean last = strip.index() == strip.count() - 1;
      return new Range(own.from() * unit, last ? height : own.to() * unit);
    }
  }

  /** The same without others. */
  Splitting alone() {
    return new Splitting(tiling, together, tiled, new Share(Strip.whole(), share.unit), listener);
  }

  /**
   * What {@code layers} make of x (B, C, H, W): all of it on the first strip, nothing elsewhere.
   */
  Optional<NDArray> run(NDManager owner, Sequence layers, NDArray x) {
    long count = x.getShape().get(0);
    Sequence watched = watched(layers, x);
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> parts = new ArrayList<>();
      for (long from = 0; from < count; from += together) {
        long to = Math.min(count, from + together);
        NDArray part = Torch.slice(scope, x, 0, from, to); // (≤ together, C, H, W)
        together(scope, watched, part).ifPresent(parts::add); // (≤ together, O, H', W')
      }
      return join(scope, parts).map(all -> Torch.contiguous(owner, all)); // (B, O, H', W')
    }
  }

  private static Optional<NDArray> join(NDManager owner, List<NDArray> parts) {
    return parts.size() < 2 // one is not copied
        ? parts.stream().findFirst()
        : Optional.of(Torch.concat(owner, parts, 0));
  }

  /** The layers, which tell of themselves: of those that all slices and tiles pass together. */
  private Sequence watched(Sequence layers, NDArray x) {
    long slices = (x.getShape().get(0) + together - 1) / together;
    boolean several = tiled && tiling.stride() > 0 && tiling.divides(x);
    int size = layers.layers().size();
    int total = Math.toIntExact(slices * size * (several ? tiling.tiles(x, share.strip) : 1));
    AtomicInteger done = new AtomicInteger();
    listener.computed(0, total);
    return layers.watched(() -> listener.computed(done.incrementAndGet(), total));
  }

  private Optional<NDArray> together(NDManager owner, Sequence layers, NDArray x) {
    Strip strip = share.strip;
    if (tiled && tiling.divides(x)) {
      return tiling.join(owner, layers, x, strip);
    }
    if (strip.isWhole()) {
      return Optional.of(layers.forward(owner, x, strip)); // (B, O, H', W')
    }
    Range rows = share.of(Math.toIntExact(x.getShape().get(2)));
    try (NDManager scope = owner.newSubManager()) {
      NDArray own = Torch.slice(scope, x, 2, rows.from(), rows.to()); // (B, C, h, W)
      NDArray made = layers.forward(scope, own, strip); // (B, O, h', W')
      return strip.assemble(owner, made, 2); // (B, O, H', W')
    }
  }
}
