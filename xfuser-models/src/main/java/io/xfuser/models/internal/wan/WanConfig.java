package io.xfuser.models.internal.wan;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.nn.Patchify;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * What distinguishes one Wan transformer from another, as in diffusers' {@code
 * WanTransformer3DModel}.
 *
 * @param layers blocks
 * @param heads of every attention
 * @param headSize D
 * @param patch the latents of a token
 * @param inputs channels that the transformer sees: of the latents, and of what is beside them
 * @param channels c, of the latents
 * @param textWidth of the text encoder's states
 * @param neurons N, of the MLP
 * @param textNorm whether tokens are normed before they look at the text
 * @param epsilon of all norms
 * @param positions the most tokens along an axis
 * @param pictureWidth of what a picture is seen as beside its latents; 0 where it is not
 * @param picturePlaces tokens of two pictures that have places of their own; 0 where one is seen
 */
record WanConfig(
    int layers,
    int heads,
    int headSize,
    Patchify patch,
    int inputs,
    int channels,
    int textWidth,
    int neurons,
    boolean textNorm,
    double epsilon,
    int positions,
    int pictureWidth,
    int picturePlaces)
    implements SizedTransformer.Size {
  /** Width of the sinusoids of a timestep. */
  static final int SINUSOIDS = 256;

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

  /** How many dimensions of a head frames, rows and columns turn. */
  long[] axes() {
    long side = 2L * (headSize / 6);
    return new long[] {headSize - 2 * side, side, side};
  }

  /**
   * Read from {@code config.json}.
   *
   * @throws ModelException naming the setting that is not supported
   */
  static WanConfig from(ComponentConfig config) {
    config.require("freq_dim", SINUSOIDS);
    List<Integer> patch =
        config.has("patch_size") ? config.getIntList("patch_size") : List.of(1, 2, 2);
    if (patch.size() != 3 || !patch.get(1).equals(patch.get(2)) || patch.contains(0)) {
      throw new ModelException(
          "%s: patch_size %s must be frames, rows and as many columns"
              .formatted(config.origin(), patch));
    }
    int inputs = config.getInt("in_channels", 16);
    int channels =
        config.has("out_channels")
            ? config.getInt("out_channels")
            : config.getInt("in_channels", 16);
    WanConfig read =
        new WanConfig(
            config.getInt("num_layers", 40),
            config.getInt("num_attention_heads", 40),
            config.getInt("attention_head_dim", 128),
            new Patchify(patch.get(0), patch.get(1)),
            inputs,
            channels,
            config.getInt("text_dim", 4096),
            config.getInt("ffn_dim", 13824),
            config.getBoolean("cross_attn_norm", true),
            config.getDouble("eps", 1e-6),
            config.getInt("rope_max_seq_len", 1024),
            config.getInt("image_dim", 0),
            config.getInt("pos_embed_seq_len", 0));
    if (read.headSize % 2 != 0) {
      throw new ModelException(
          "%s: attention_head_dim %d must be even, as pairs are turned"
              .formatted(config.origin(), read.headSize));
    }
    if (config.getInt("added_kv_proj_dim", 0) != (read.seesPictures() ? read.width() : 0)) {
      throw new ModelException(
          "%s: added_kv_proj_dim must be %d, the width, where there is an image_dim, and absent else"
              .formatted(config.origin(), read.width()));
    }
    return read;
  }

  /** Whether a picture is seen beside its latents. */
  boolean seesPictures() {
    return pictureWidth > 0;
  }
}
