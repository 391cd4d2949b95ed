package io.xfuser.models.internal.sana;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.WeightMap.Patch;
import io.xfuser.weights.ComponentConfig;
import java.util.OptionalDouble;

/**
 * What distinguishes one SANA transformer from another, as in diffusers' {@code
 * SanaTransformer2DModel}.
 *
 * @param layers blocks
 * @param heads of the linear self-attention
 * @param headSize width of such a head
 * @param textHeads heads that look at the text
 * @param textHeadSize width of such a head
 * @param patch the latents of a token
 * @param captionChannels width of the text encoder's states
 * @param neurons N, of the MLP
 * @param biased whether self-attention's queries, keys and values have a bias
 * @param normed whether queries and keys are normed, all heads together
 * @param sampleSize rows and columns of latents of the pictures trained on
 * @param interpolationScale by which positions are divided; none if the model has no positions
 * @param timestepScale by which timesteps are multiplied
 * @param guidanceScale by which the guidance is multiplied that the model is told; none if it is
 *     told none
 */
record SanaConfig(
    int layers,
    int heads,
    int headSize,
    int textHeads,
    int textHeadSize,
    Patch patch,
    int captionChannels,
    int neurons,
    boolean biased,
    boolean normed,
    int sampleSize,
    OptionalDouble interpolationScale,
    double timestepScale,
    OptionalDouble guidanceScale)
    implements SizedTransformer.Size {
  /** Epsilon of layer norms. */
  static final double EPSILON = 1e-6;

  private static final String NORM = "qk_norm";
  private static final String ACROSS = "rms_norm_across_heads";

  @Override
  public int depth() {
    return layers;
  }

  /** C, the hidden size. */
  int width() {
    return heads * headSize;
  }

  /** What the names of the timestep's embedder begin with. */
  String timestepEmbedder() {
    return guidanceScale.isPresent()
        ? "time_embed.timestep_embedder"
        : "time_embed.emb.timestep_embedder";
  }

  /** Heads of self-attention. */
  Inner inner() {
    return Inner.heads(heads, headSize);
  }

  /** Heads that look at the text. */
  Inner textInner() {
    return Inner.heads(textHeads, textHeadSize);
  }

  /**
   * Read from {@code transformer/config.json}.
   *
   * @throws ModelException naming the setting that is not supported
   */
  static SanaConfig from(ComponentConfig config) {
    config.require("norm_elementwise_affine", false);
    config.require("norm_eps", EPSILON);
    if (config.has(NORM)) {
      config.require(NORM, ACROSS);
    }
    int heads = config.getInt("num_attention_heads", 70);
    int headSize = config.getInt("attention_head_dim", 32);
    int width = heads * headSize;
    int channels = config.getInt("in_channels", 32);
    String scale = "interpolation_scale";
    SanaConfig read =
        new SanaConfig(
            config.getInt("num_layers", 20),
            heads,
            headSize,
            config.getInt("num_cross_attention_heads", 20),
            config.getInt("cross_attention_head_dim", 112),
            new Patch(
                config.getInt("patch_size", 1),
                channels,
                config.has("out_channels") ? config.getInt("out_channels") : channels),
            config.getInt("caption_channels", 2304),
            (int) (config.getDouble("mlp_ratio", 2.5) * width),
            config.getBoolean("attention_bias", false),
            config.has(NORM),
            config.getInt("sample_size", 32),
            config.has(scale)
                ? OptionalDouble.of(config.getDouble(scale, 1))
                : OptionalDouble.empty(),
            config.getDouble("timestep_scale", 1),
            config.getBoolean("guidance_embeds", false)
                ? OptionalDouble.of(config.getDouble("guidance_embeds_scale", 0.1))
                : OptionalDouble.empty());
    config.require("cross_attention_dim", width);
    return read;
  }
}
