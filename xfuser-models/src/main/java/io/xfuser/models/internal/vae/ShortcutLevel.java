package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.nn.Strip;
import java.util.List;

/**
 * A level of Wan 2.2's autoencoder: what its layers make of x, and beside it x itself in the new
 * size, by means of its values or by repeating them. diffusers' WanResidualDownBlock and
 * WanResidualUpBlock.
 *
 * @param body the layers
 * @param function {@code averaged} or {@code spread}
 * @param out channels of the result
 * @param time frames of a block
 * @param space rows, and columns, of a block
 */
record ShortcutLevel(Sequence body, String function, int out, int time, int space)
    implements Layer {
  /**
   * Makes sure that each channel of an encoder's level is the mean of as many values.
   *
   * @param base channels before the first of {@code widths}
   * @param temporal whether a level but the last makes one frame of two
   */
  static void requireMeans(String origin, int base, List<Integer> widths, List<Boolean> temporal) {
    int in = base;
    for (int i = 0; i < widths.size(); i++) {
      boolean last = i == widths.size() - 1;
      requireWhole(origin, in * (last ? 1 : temporal.get(i) ? 8 : 4), widths.get(i));
      in = widths.get(i);
    }
  }

  /** The same of a decoder's, where each channel is repeated as often. */
  static void requireRepeats(String origin, List<Integer> widths, List<Boolean> temporal) {
    int in = widths.get(widths.size() - 1);
    for (int i = widths.size() - 1; i > 0; i--) {
      requireWhole(origin, widths.get(i) * (temporal.get(i - 1) ? 8 : 4), in);
      in = widths.get(i);
    }
  }

  private static void requireWhole(String origin, int values, int channels) {
    if (values % channels != 0) {
      throw new ModelException(
          "%s: is_residual: %d values of a block are not a multiple of %d channels"
              .formatted(origin, values, channels));
    }
  }

  @Override
  public NDArray forward(NDManager owner, NDArray x, Strip strip) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray y = body.forward(scope, x, strip);
      boolean first = VideoStrip.isFirst(strip);
      NDArray same = CausalConvolution.CAUSAL.call(scope, function, x, out, time, space, first);
      return VAE.call(owner, "add_", y, same);
    }
  }
}
