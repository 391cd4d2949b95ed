package io.xfuser.models.internal.joint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.weights.Share;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a block attends pictures that are prompts.
 *
 * @param scales how much what is attended counts, for each adapter; none = there are none
 * @param before columns of heads that are not its own, before these
 */
record ShownAttention(List<Double> scales, long before) {
  /** By no adapter. */
  static final ShownAttention NONE = new ShownAttention(List.of(), 0);

  /** That of double block {@code index}, of which {@code share} is computed. */
  static ShownAttention of(List<PictureAdapter> adapters, int index, Inner heads, Share share) {
    return new ShownAttention(
        adapters.stream().map(adapter -> adapter.scales().get(index)).toList(),
        heads.cut(share, 0).from());
  }

  /**
   * What the image tokens of {@code packed} attend of the pictures, (B, l, H, D); null if there are
   * none.
   *
   * @param packed (B, t + l, 3, H, D), queries of the image as they are projected
   */
  @Nullable NDArray attended(
      NDManager owner, NDArray packed, long text, JointConditioning c, DoubleBlock block) {
    if (scales.isEmpty() || !(c.shown() instanceof ShownPictures shown)) {
      return null;
    }
    double[] weights = scales.stream().mapToDouble(Double::doubleValue).toArray();
    NDArray kv = shown.keysValues(block, block.headSize());
    return Streams.PROGRAM.call(
        owner, "attend_shown", packed, text, kv, shown.counts(), weights, block.weights());
  }
}
