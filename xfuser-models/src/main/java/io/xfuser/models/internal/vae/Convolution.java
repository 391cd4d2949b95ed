package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Strip;
import io.xfuser.nn.Strip.Edges;
import java.util.Map;

/**
 * A convolution with stride 1 that keeps the picture's size; zeros surround it. On a strip the
 * first and the last row are computed again once the rows beyond have come: the strip is not
 * copied.
 */
final class Convolution implements Layer {
  private static final String WEIGHT = "conv.weight";

  private final Map<String, NDArray> weights; // conv: (O, C, KH, KW) and perhaps a bias (O)
  private final long[] padding; // rows, columns
  private final boolean crossesStrips;

  /** Reads its kernel (out, in, …) and its bias (out). */
  Convolution(NDManager owner, Weights weights, Channels channels, Kernel kernel) {
    this(
        kernel,
        Map.of(
            WEIGHT,
            kernel.read(owner, weights, channels),
            "conv.bias",
            weights.get(owner, "bias", channels.out())));
  }

  /** One that sees the eight neighbours and adds nothing. */
  static Convolution withoutBias(NDManager owner, Weights weights, Channels channels) {
    NDArray weight = Kernel.SQUARE.read(owner, weights, channels);
    return new Convolution(Kernel.SQUARE, Map.of(WEIGHT, weight));
  }

  private Convolution(Kernel kernel, Map<String, NDArray> weights) {
    this.weights = weights;
    padding = new long[] {kernel.rows / 2, kernel.columns / 2};
    crossesStrips = kernel.rows > 1 && kernel.columns > 1;
  }

  @Override
  public NDArray forward(NDManager owner, NDArray x, Strip strip) {
    if (strip.isWhole() || !crossesStrips) {
      return convolve(owner, x);
    }
    Edges arriving = strip.halo(x); // while the strip is convolved as if it were the picture
    NDArray y = convolve(owner, x); // (B, O, H, W)
    try (NDManager scope = owner.newSubManager()) {
      NDList edges = arriving.await(scope); // 2 × (B, C, 1, W)
      VAE.call(scope, "mend_", y, x, edges.get(0), edges.get(1), weights);
    }
    return y;
  }

  private NDArray convolve(NDManager owner, NDArray x) {
    return VAE.call(owner, "convolved", x, weights, padding); // (B, O, H, W)
  }

  /** How many channels go in and come out. */
  record Channels(int in, int out) {}

  /** How far a convolution looks. */
  enum Kernel {
    /** Nowhere. */
    POINT(1, 1),
    /** To the eight neighbours. */
    SQUARE(3, 3),
    /** Up and down: to the frames before and after, seen by {@link OverFrames}. */
    FRAMES(3, 1),
    /** Nowhere, stored as one over frames. */
    CAUSAL_POINT(1, 1);

    private final int rows;
    private final int columns;

    Kernel(int rows, int columns) {
      this.rows = rows;
      this.columns = columns;
    }

    /**
     * The weight (O, C, rows, columns); those over frames are stored as (O, C, frames, 1, 1),
     * causal ones as (O, C, 1, 1, 1).
     */
    private NDArray read(NDManager owner, Weights weights, Channels channels) {
      int out = channels.out();
      int in = channels.in();
      return switch (this) {
        case POINT, SQUARE -> weights.get(owner, "weight", out, in, rows, columns);
        case FRAMES ->
            VAE.call(
                owner,
                "kernel_over_rows",
                weights.get(owner, "weight", out, in, rows, columns, columns));
        case CAUSAL_POINT -> {
          try (NDManager scope = owner.newSubManager()) {
            NDArray stored = weights.get(scope, "weight", out, in, rows, rows, columns);
            yield VAE.call(owner, "kernel_of_first_frame", stored);
          }
        }
      };
    }
  }
}
