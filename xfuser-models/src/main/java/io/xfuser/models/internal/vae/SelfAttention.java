package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.vae.GroupNorm.Groups;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Torch;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code x + attention(norm(x))} with one head over all positions of the picture: the attention of
 * diffusers' UNetMidBlock2D. Older checkpoints call the projections {@code query}, {@code key},
 * {@code value} and {@code proj_attn}; both sets of names are read. A strip has its own queries and
 * gathers the keys and values of all.
 */
final class SelfAttention implements Layer {
  private static final String OUTPUT = "to_out.0";
  private static final List<String> PROJECTIONS = List.of("to_q", "to_k", "to_v", OUTPUT);

  private static final Map<String, String> OLD_NAMES =
      Map.of("to_q", "query", "to_k", "key", "to_v", "value", OUTPUT, "proj_attn");

  private final Layer norm;
  private final Map<String, NDArray> projections; // weight (C, C) and bias (C) of each

  private SelfAttention(Layer norm, Map<String, NDArray> projections) {
    this.norm = norm;
    this.projections = Map.copyOf(projections);
  }

  /** Reads {@code norm}, and {@code to_qkv} and {@code proj}, which are 1×1 convolutions. */
  static SelfAttention ofConvolutions(NDManager owner, Weights weights, int channels, Norm kind) {
    Layer norm = kind.read(owner, weights.at("norm."), channels, false);
    Map<String, NDArray> read = new HashMap<>();
    NDArray joined = matrix(owner, weights.at("to_qkv."), 3 * channels, channels);
    NDArray bias = weights.get(owner, "to_qkv.bias", 3L * channels);
    for (int i = 0; i < 3; i++) {
      long from = (long) i * channels;
      String name = PROJECTIONS.get(i);
      read.put(name + ".weight", Torch.slice(owner, joined, 0, from, from + channels));
      read.put(name + ".bias", Torch.slice(owner, bias, 0, from, from + channels));
    }
    read.put("to_out.0.weight", matrix(owner, weights.at("proj."), channels, channels));
    read.put("to_out.0.bias", weights.get(owner, "proj.bias", channels));
    return new SelfAttention(norm, read);
  }

  private static NDArray matrix(NDManager owner, Weights weights, int out, int in) {
    return VAE.call(owner, "point_as_matrix", weights.get(owner, "weight", out, in, 1, 1));
  }

  /**
   * Reads {@code norm}, and {@code to_q}, {@code to_k}, {@code to_v} and {@code proj_out}, which
   * are convolutions of one position, for the frames of a video, that see those before them.
   */
  static Layer ofFrames(NDManager owner, Weights weights, int channels) {
    Layer norm = PixelNorm.Kind.VIDEOS.read(owner, weights.at("norm."), channels, false);
    Map<String, NDArray> read = new HashMap<>();
    for (String name : PROJECTIONS) {
      Weights from = weights.at((name.equals(OUTPUT) ? "proj_out" : name) + ".");
      NDArray stored = from.get(owner, "weight", channels, channels, 1, 1, 1);
      read.put(name + ".weight", VAE.call(owner, "point_as_matrix", stored));
      read.put(name + ".bias", from.get(owner, "bias", channels));
    }
    return new OfFrames(norm, Map.copyOf(read));
  }

  /**
   * Over a frame and all frames before it, whose keys and values are kept.
   *
   * @param norm of what is projected
   * @param projections weight (C, C) and bias (C) of each
   */
  private record OfFrames(Layer norm, Map<String, NDArray> projections) implements Layer {
    /** {@code x} is one frame, (1, C, H, W). */
    @Override
    public NDArray forward(NDManager owner, NDArray x, Strip strip) {
      VideoStrip video = (VideoStrip) strip;
      try (NDManager scope = owner.newSubManager()) {
        NDArray normalized = norm.forward(scope, x, strip); // (1, C, H, W)
        NDList own = VAE.callList(scope, "keys_values", normalized, projections); // 2 × (1, l, C)
        NDArray keys = gathered(scope, own.get(0), strip); // (1, L, C)
        NDArray values = gathered(scope, own.get(1), strip); // (1, L, C)
        NDArray all = // (2, K, C)
            CausalConvolution.CAUSAL.call(scope, "both_after", video.before(this), keys, values);
        video.keepAll(this, all);
        NDArray seenKeys = Torch.slice(scope, all, 0, 0, 1);
        NDArray seenValues = Torch.slice(scope, all, 0, 1, 2);
        return VAE.call(owner, "attend_to", normalized, x, seenKeys, seenValues, projections);
      }
    }

    private static NDArray gathered(NDManager scope, NDArray part, Strip strip) {
      return strip.isWhole() ? part : strip.gather(scope, part, 1);
    }
  }

  /** Reads {@code group_norm} and the four projections. */
  SelfAttention(NDManager owner, Weights weights, int channels, Groups groups) {
    norm = groups.read(owner, weights.at("group_norm."), channels, false);
    Map<String, NDArray> read = new HashMap<>();
    for (String name : PROJECTIONS) {
      String old = OLD_NAMES.getOrDefault(name, name);
      Weights projection = weights.at((weights.has(old + ".weight") ? old : name) + ".");
      read.put(name + ".weight", projection.get(owner, "weight", channels, channels));
      read.put(name + ".bias", projection.get(owner, "bias", channels));
    }
    projections = Map.copyOf(read);
  }

  @Override
  public NDArray forward(NDManager owner, NDArray x, Strip strip) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray normalized = norm.forward(scope, x, strip); // (B, C, H, W)
      if (strip.isWhole()) {
        return VAE.call(owner, "attention", normalized, x, projections); // (B, C, H, W)
      }
      NDList own = VAE.callList(scope, "keys_values", normalized, projections); // 2 × (B, l, C)
      NDArray keys = strip.gather(scope, own.get(0), 1); // (B, L, C)
      NDArray values = strip.gather(scope, own.get(1), 1); // (B, L, C)
      return VAE.call(owner, "attend_to", normalized, x, keys, values, projections);
    }
  }
}
