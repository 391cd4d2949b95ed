package io.xfuser.models.internal.hunyuandit;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.weights.ComponentConfig;

/**
 * What distinguishes one HunyuanDiT transformer from another, as in diffusers' {@code
 * HunyuanDiT2DModel}.
 *
 * @param depth blocks; even, or 1: diffusers' loop cannot run another odd number
 * @param heads attention heads
 * @param headSize width of a head
 * @param mlpWidth width of the blocks' MLP
 * @param channels latent channels
 * @param sampleSize height and width in latents of the pictures trained on
 * @param text widths of the texts
 * @param style whether style and sizes are conditions beside the text (up to version 1.1)
 */
public record HunyuanDiTConfig(
    int depth,
    int heads,
    int headSize,
    int mlpWidth,
    int channels,
    int sampleSize,
    TextWidths text,
    boolean style)
    implements SizedTransformer.Size {

  /** Tokens of BERT's text. */
  static final int BERT_TOKENS = 77;

  /** Tokens of T5's text. */
  static final int T5_TOKENS = 256;

  /** Latents along each side of a token. */
  static final int PATCH = 2;

  private static final int POOL_HEADS = 8;

  /**
   * Widths of texts.
   *
   * @param bert of BERT's hidden states, which T5's are projected to
   * @param t5 of T5's hidden states
   * @param pooled of T5's text as one vector
   */
  public record TextWidths(int bert, int t5, int pooled) {}

  /** Checks what diffusers could not run. */
  public HunyuanDiTConfig {
    if (depth % 2 == 1 && depth > 1) {
      throw new ModelException("num_layers is " + depth + ", but long skips need an even number");
    }
    multiple("attention_head_dim", headSize, 4, "the rotation of two axes needs");
    multiple("cross_attention_dim_t5", text.t5(), POOL_HEADS, "the heads of the pool need");
  }

  private static void multiple(String setting, int value, int of, String reason) {
    if (value % of != 0) {
      throw new ModelException(
          "%s is %d, but %s a multiple of %d".formatted(setting, value, reason, of));
    }
  }

  /** C, the hidden size. */
  public int width() {
    return heads * headSize;
  }

  /** The latents of a token; as many variances are predicted beside them. */
  WeightMap.Patch patch() {
    return new WeightMap.Patch(PATCH, channels, 2 * channels);
  }

  /**
   * Read from {@code transformer/config.json}.
   *
   * @throws ModelException naming the setting that is missing or not supported
   */
  public static HunyuanDiTConfig from(ComponentConfig config) {
    config.require("norm_type", "layer_norm");
    config.require("activation_fn", "gelu-approximate");
    config.require("learn_sigma", true);
    config.require("patch_size", PATCH);
    config.require("text_len", BERT_TOKENS);
    config.require("text_len_t5", T5_TOKENS);
    int heads = config.getInt("num_attention_heads", 16);
    int headSize = config.getInt("attention_head_dim", 88);
    config.require("hidden_size", heads * headSize);
    return new HunyuanDiTConfig(
        config.getInt("num_layers", 28),
        heads,
        headSize,
        (int) (heads * headSize * config.getDouble("mlp_ratio", 4.0)), // rounded down, as diffusers
        config.getInt("in_channels"),
        config.getInt("sample_size", 32),
        new TextWidths(
            config.getInt("cross_attention_dim", 1024),
            config.getInt("cross_attention_dim_t5", 2048),
            config.getInt("pooled_projection_dim", 1024)),
        config.getBoolean("use_style_cond_and_image_meta_size", true));
  }
}
