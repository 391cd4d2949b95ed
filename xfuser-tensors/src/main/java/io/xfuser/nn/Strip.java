package io.xfuser.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The strip of a picture's rows that is computed here, and what it needs of the other strips. Strip
 * i has the i-th share of the rows (B, C, H, W) of every tensor, whatever its scale. All strips
 * call the same operations in the same order; {@link #whole} is the only strip of its picture and
 * waits for nobody.
 */
public interface Strip {
  /** The place among the strips, from the top. */
  int index();

  /** How many strips the picture has. */
  int count();

  /**
   * Starts to fetch the row above {@code x} and the row below it.
   *
   * @param x (B, C, H, W), read until the edges have been awaited
   */
  Edges halo(NDArray x);

  /** The tensors of all strips joined along {@code dim}, where their lengths may differ. */
  NDArray gather(NDManager owner, NDArray x, int dim);

  /** Hands {@code x} to the first strip; it must not be written afterwards. */
  void deliver(NDArray x);

  /** What strip {@code from} delivers next; for the first strip alone. */
  NDArray collect(NDManager owner, int from);

  /** Whether there is no other strip, so that nothing need be asked for. */
  default boolean isWhole() {
    return count() == 1;
  }

  /** The rows of {@code rows}, or of anything else that strips share, that are this strip's. */
  default Range of(int rows) {
    return Range.of(rows).shard(index(), count());
  }

  /** The tensors of all strips joined along {@code dim} on the first strip, nothing elsewhere. */
  default Optional<NDArray> assemble(NDManager owner, NDArray x, int dim) {
    if (index() > 0) {
      deliver(x);
      return Optional.empty();
    }
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> parts = new ArrayList<>(List.of(x));
      for (int strip = 1; strip < count(); strip++) {
        parts.add(collect(scope, strip));
      }
      return Optional.of(Torch.concat(owner, parts, dim));
    }
  }

  /** All rows. */
  static Strip whole() {
    return WholeStrip.INSTANCE;
  }

  /** Rows on their way to this strip. */
  @FunctionalInterface
  interface Edges {
    /**
     * The row above and the row below, each (B, C, 1, W), zeros outside the picture. Must be called
     * exactly once.
     */
    NDList await(NDManager owner);
  }

  /** A row of zeros as wide as those of {@code x} (B, C, H, W): what lies outside the picture. */
  static NDArray outside(NDManager owner, NDArray x) {
    try (NDManager scope = owner.newSubManager()) {
      return Torch.zerosLike(owner, Torch.slice(scope, x, 2, 0, 1)); // (B, C, 1, W)
    }
  }
}
