package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.vae.Convolution.Channels;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Program;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A convolution over frames, of which it sees two before its own, and none after it. A
 * normalisation with SiLU may come first: it looks at one position, so that what others would
 * normalise alike is not copied twice. Where pictures alone pass, only the last frame of the kernel
 * is kept.
 */
final class CausalConvolution implements Layer {
  /** What autoencoders of videos have besides. */
  static final Program CAUSAL = Program.load(CausalConvolution.class, "vae_causal.py");

  private static final int PAST = 2;
  private static final String WEIGHT = "weight";

  private final Map<String, NDArray> weights; // conv: (O, C, 3, K, K) or (O, C, K, K), bias (O)
  private final int past; // frames
  private final int around; // rows and columns on each side
  private final Outside outside;

  private CausalConvolution(Map<String, NDArray> weights, int past, int around, Outside outside) {
    this.weights = Map.copyOf(weights);
    this.past = past;
    this.around = around;
    this.outside = outside;
  }

  /** What is before a video and around its frames. */
  enum Outside {
    /** Zeros. */
    ZEROS,
    /** The first frame before itself, zeros around frames. */
    FIRST_FRAME,
    /** The first frame before itself, around frames their outermost rows and columns. */
    EDGES
  }

  /**
   * Reads one that sees the eight neighbours.
   *
   * @param videos whether it sees frames before
   */
  static CausalConvolution square(
      NDManager owner, Weights weights, Channels channels, boolean videos) {
    return new CausalConvolution(
        read(owner, weights, channels, videos), videos ? PAST : 0, 1, Outside.ZEROS);
  }

  /** The same of videos with something else {@code outside}. */
  static CausalConvolution square(
      NDManager owner, Weights weights, Channels channels, Outside outside) {
    return new CausalConvolution(read(owner, weights, channels, true), PAST, 1, outside);
  }

  /** The same after {@code norm} with SiLU. */
  static CausalConvolution square(
      NDManager owner, PixelNorm norm, Weights weights, Channels channels, Outside outside) {
    Map<String, NDArray> all = new HashMap<>(norm.weights());
    all.putAll(read(owner, weights, channels, true));
    return new CausalConvolution(all, PAST, 1, outside);
  }

  /** The same after {@code norm} with SiLU. */
  static CausalConvolution square(
      NDManager owner, PixelNorm norm, Weights weights, Channels channels, boolean videos) {
    Map<String, NDArray> all = new HashMap<>(norm.weights());
    all.putAll(read(owner, weights, channels, videos));
    return new CausalConvolution(all, videos ? PAST : 0, 1, Outside.ZEROS);
  }

  /** Reads one over frames alone. */
  static CausalConvolution overFrames(NDManager owner, Weights weights, Channels channels) {
    NDArray kernel = weights.get(owner, WEIGHT, channels.out(), channels.in(), PAST + 1, 1, 1);
    return new CausalConvolution(named(owner, kernel, weights, channels), PAST, 0, Outside.ZEROS);
  }

  private static Map<String, NDArray> read(
      NDManager owner, Weights weights, Channels channels, boolean videos) {
    int out = channels.out();
    int in = channels.in();
    if (videos) {
      NDArray kernel = weights.get(owner, WEIGHT, out, in, PAST + 1, 3, 3);
      return named(owner, kernel, weights, channels);
    }
    try (NDManager scope = owner.newSubManager()) {
      NDArray kernel = weights.get(scope, WEIGHT, out, in, PAST + 1, 3, 3);
      NDArray last = VAE.call(owner, "kernel_of_first_frame", kernel);
      return named(owner, last, weights, channels);
    }
  }

  private static Map<String, NDArray> named(
      NDManager owner, NDArray kernel, Weights weights, Channels channels) {
    return Map.of("conv.weight", kernel, "conv.bias", weights.get(owner, "bias", channels.out()));
  }

  @Override
  public NDArray forward(NDManager owner, NDArray x, Strip strip) {
    boolean whole = strip.isWhole() || around == 0;
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> edges = whole ? List.of() : strip.halo(x).await(scope); // 2 × (F, C, 1, W)
      List<NDArray> before = past == 0 ? List.of() : ((VideoStrip) strip).before(this);
      NDArray seen = seen(scope, x, edges, before, strip);
      if (past > 0) {
        ((VideoStrip) strip).keep(this, seen, past);
      }
      boolean padded = outside == Outside.EDGES;
      long[] padding = {padded || !whole ? 0 : around, padded ? 0 : around};
      return CAUSAL.call(owner, "looked_back", seen, weights, padding); // (F, O, H, W)
    }
  }

  private NDArray seen(
      NDManager scope, NDArray x, List<NDArray> edges, List<NDArray> before, Strip strip) {
    if (outside == Outside.EDGES) {
      boolean top = strip.index() == 0;
      boolean bottom = strip.index() == strip.count() - 1;
      return CAUSAL.call(scope, "seen_surrounded", x, edges, before, top, bottom, past, weights);
    }
    boolean repeated = outside == Outside.FIRST_FRAME;
    return CAUSAL.call(scope, "seen", x, edges, before, past, repeated, weights);
  }
}
