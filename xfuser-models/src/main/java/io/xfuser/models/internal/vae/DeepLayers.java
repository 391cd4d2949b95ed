package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The layers of AutoencoderDC. On a strip those that look at rows beyond it ask its neighbours, and
 * linear attention adds up the sums of all strips, so that what they make is that of the picture.
 */
final class DeepLayers {
  static final Program DEEP = Program.load(DeepLayers.class, "vae_deep.py");

  private DeepLayers() {}

  /** {@code x + norm(second(activation(first(x))))}. */
  static Layer residual(Layer first, Layer second, Map<String, NDArray> norm, String activation) {
    return (owner, x, strip) -> {
      try (NDManager scope = owner.newSubManager()) {
        NDArray h = DEEP.call(scope, "activated", first.forward(scope, x, strip), activation);
        return DEEP.call(owner, "normed_added", second.forward(scope, h, strip), x, norm);
      }
    };
  }

  /** A 3×3 convolution of every other row and column, with zeros around the picture. */
  static Layer halving(Map<String, NDArray> weights) {
    return (owner, x, strip) -> {
      try (NDManager scope = owner.newSubManager()) {
        return DEEP.call(owner, "halved", around(scope, x, strip, 1), weights);
      }
    };
  }

  /** An MLP whose neurons look at those of the eight neighbours, normed and added. */
  static Layer gated(Map<String, NDArray> weights) {
    return (owner, x, strip) -> {
      try (NDManager scope = owner.newSubManager()) {
        NDArray h = around(scope, DEEP.call(scope, "inverted", x, weights), strip, 1);
        return DEEP.call(owner, "gated", h, x, weights);
      }
    };
  }

  /**
   * Linear attention over all positions, to queries, keys and values as they are and as kernels of
   * some sides see them. diffusers attends by the scores themselves where there are no more
   * positions than a head is wide, which gives the same but for rounding.
   */
  static Layer attention(Map<String, NDArray> weights, List<Integer> sides, int head) {
    return (owner, x, strip) -> {
      try (NDManager scope = owner.newSubManager()) {
        NDArray packed = DEEP.call(scope, "projected", x, weights); // (B, 3·I, H, W)
        List<NDArray> scales = new ArrayList<>(List.of(packed));
        for (int i = 0; i < sides.size(); i++) {
          int side = sides.get(i);
          NDArray seen = around(scope, packed, strip, side / 2);
          scales.add(
              DEEP.call(
                  scope,
                  "scaled",
                  seen,
                  weights,
                  "in." + i,
                  "out." + i,
                  side,
                  head)); // like packed
        }
        NDArray all = DEEP.call(scope, "heads", scales, head); // (B, G, 3·D, H·W)
        NDArray own = DEEP.call(scope, "sums", all); // (1, B, G, D + 1, D)
        NDArray sums = strip.isWhole() ? own : strip.gather(scope, own, 0);
        return DEEP.call(owner, "attended", all, sums, x, weights);
      }
    };
  }

  /** {@code x} (B, C, H, W) between so many rows above it and below it, (B, C, n + H + n, W). */
  private static NDArray around(NDManager owner, NDArray x, Strip strip, int rows) {
    NDArray wide = x;
    long height = x.getShape().get(2);
    for (int row = 1; row <= rows; row++) {
      try (NDManager scope = owner.newSubManager()) {
        // what the neighbours need is row - 1 rows within this strip, or came from beyond it
        NDArray first = Torch.slice(scope, wide, 2, 2L * (row - 1), 2L * row - 1);
        NDArray last = Torch.slice(scope, wide, 2, height - 1, height);
        NDArray edge = Torch.concat(scope, List.of(first, last), 2);
        NDList beyond = strip.halo(edge).await(scope); // 2 × (B, C, 1, W)
        wide = Torch.concat(owner, List.of(beyond.get(0), wide, beyond.get(1)), 2);
      }
    }
    return wide;
  }
}
