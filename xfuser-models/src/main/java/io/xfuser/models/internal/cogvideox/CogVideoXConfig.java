package io.xfuser.models.internal.cogvideox;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.nn.Patchify;
import io.xfuser.weights.ComponentConfig;

/**
 * What distinguishes one CogVideoX transformer from another, as in diffusers' {@code
 * CogVideoXTransformer3DModel}.
 *
 * @param layers blocks
 * @param heads of every attention
 * @param headSize D
 * @param patch the latents of a token
 * @param channels c, of the latents
 * @param textWidth of the text encoder's states
 * @param timeWidth E, of the embedded timestep
 * @param epsilon of norms of tokens
 * @param places how tokens are told where they are
 * @param usual the size that is drawn where nothing else is asked for
 * @param linearPatch whether the layer on tokens is stored as a linear one, not as a convolution
 * @param patchBias whether it adds something
 */
record CogVideoXConfig(
    int layers,
    int heads,
    int headSize,
    Patchify patch,
    int channels,
    int textWidth,
    int timeWidth,
    double epsilon,
    Places places,
    Usual usual,
    boolean linearPatch,
    boolean patchBias)
    implements SizedTransformer.Size {
  /**
   * How tokens are told where they are.
   *
   * @param rotary by turning queries and keys; else what tells it is added to tokens
   * @param space how much closer rows and columns are than their numbers, where it is added
   * @param time the same of frames
   */
  record Places(boolean rotary, double space, double time) {}

  /**
   * A size.
   *
   * @param height of latents
   * @param width of latents
   * @param frames of the video
   * @param text tokens
   */
  record Usual(int height, int width, int frames, int text) {}

  @Override
  public int depth() {
    return layers;
  }

  /** C, the hidden size. */
  int width() {
    return heads * headSize;
  }

  /** The heads of an attention. */
  Inner inner() {
    return Inner.heads(heads, headSize);
  }

  /** Whether tokens are blocks of several frames, as 1.5's. */
  boolean overFrames() {
    return linearPatch;
  }

  /** How many dimensions of a head frames, rows and columns turn. */
  long[] axes() {
    return new long[] {headSize / 4, headSize / 8 * 3L, headSize / 8 * 3L};
  }

  /**
   * Read from {@code config.json}.
   *
   * @throws ModelException naming the setting that is not supported
   */
  static CogVideoXConfig from(ComponentConfig config) {
    config.require("activation_fn", "gelu-approximate");
    config.require("timestep_activation_fn", "silu");
    config.require("norm_elementwise_affine", true);
    config.require("attention_bias", true);
    config.require("flip_sin_to_cos", true);
    config.require("freq_shift", 0);
    config.require("use_learned_positional_embeddings", false);
    if (config.has("ofs_embed_dim")) {
      throw new ModelException(
          config.origin() + ": ofs_embed_dim is given: this transformer begins with a picture");
    }
    boolean linear = config.has("patch_size_t");
    boolean rotary = config.getBoolean("use_rotary_positional_embeddings", false);
    if (linear && !rotary) {
      throw new ModelException(
          config.origin()
              + ": patch_size_t needs use_rotary_positional_embeddings: places are added to single"
              + " frames alone");
    }
    CogVideoXConfig read =
        new CogVideoXConfig(
            config.getInt("num_layers", 30),
            config.getInt("num_attention_heads", 30),
            config.getInt("attention_head_dim", 64),
            new Patchify(
                linear ? config.getInt("patch_size_t") : 1, config.getInt("patch_size", 2)),
            config.getInt("in_channels", 16),
            config.getInt("text_embed_dim", 4096),
            config.getInt("time_embed_dim", 512),
            config.getDouble("norm_eps", 1e-5),
            new Places(
                rotary,
                config.getDouble("spatial_interpolation_scale", 1.875),
                config.getDouble("temporal_interpolation_scale", 1)),
            new Usual(
                config.getInt("sample_height", 60),
                config.getInt("sample_width", 90),
                config.getInt("sample_frames", 49),
                config.getInt("max_text_seq_length", 226)),
            linear,
            linear || config.getBoolean("patch_bias", true));
    config.require("out_channels", read.channels);
    read.check(config.origin());
    return read;
  }

  private void check(String origin) {
    if (places.rotary() ? headSize % 16 != 0 : width() % 16 != 0) {
      throw new ModelException(
          "%s: %d heads of attention_head_dim %d: %s must be a multiple of 16 to be told places"
              .formatted(origin, heads, headSize, places.rotary() ? "a head" : "their width"));
    }
    if (patch.frames() < 1 || patch.side() < 1) {
      throw new ModelException(
          "%s: patch_size_t %d and patch_size %d must be at least 1"
              .formatted(origin, patch.frames(), patch.side()));
    }
  }
}
