package io.xfuser.internal.weights;

import io.xfuser.torchscript.TensorMap;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One rank's way through layers whose tensors come from files: while one is used, the next one that
 * is not in memory is read. So at most two are there at a time, beside those that stay. Belongs to
 * the rank's thread; close it where the rank stops, what was read ahead is dropped then.
 */
public final class Ahead implements AutoCloseable {
  private final Prefetcher prefetcher;
  private final List<TensorMap> layers;
  private final BitSet stay;
  private Prefetcher.@Nullable Fetch coming;

  Ahead(Prefetcher prefetcher, List<TensorMap> layers, BitSet stay) {
    this.prefetcher = prefetcher;
    this.layers = List.copyOf(layers);
    this.stay = stay;
  }

  /** The same way without the layers {@code others}, which are not used on it. */
  public Ahead without(BitSet others) {
    BitSet unread = (BitSet) stay.clone();
    unread.or(others);
    return new Ahead(prefetcher, layers, unread);
  }

  /**
   * Layer {@code index}, in memory until what is returned is closed. The next one is read
   * meanwhile.
   *
   * @param end the first layer that is not known to be used after it
   */
  public TensorMap.Hold use(int index, int end) {
    TensorMap layer = layers.get(index);
    TensorMap.Hold used = stay.get(index) ? layer.keep() : arrived(layer);
    try {
      expect(index + 1, end);
      return used;
    } catch (RuntimeException | Error e) {
      used.close();
      throw e;
    }
  }

  private TensorMap.Hold arrived(TensorMap layer) {
    Prefetcher.Fetch fetch = coming;
    coming = null;
    if (fetch == null || fetch.layer() != layer) {
      drop(fetch);
      fetch = prefetcher.fetch(layer);
    }
    try {
      fetch.await();
      return fetch;
    } catch (RuntimeException | Error e) {
      fetch.close();
      throw e;
    }
  }

  /** Begins to read the first of layers {@code from} to {@code end} that is not in memory. */
  public void expect(int from, int end) {
    int next = stay.nextClearBit(from);
    if (next >= end || (coming != null && coming.layer() == layers.get(next))) {
      return;
    }
    drop(coming);
    coming = prefetcher.fetch(layers.get(next));
  }

  private static void drop(Prefetcher.@Nullable Fetch fetch) {
    if (fetch != null) {
      fetch.close();
    }
  }

  @Override
  public void close() {
    drop(coming);
    coming = null;
  }
}
