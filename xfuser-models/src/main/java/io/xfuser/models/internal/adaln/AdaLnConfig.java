package io.xfuser.models.internal.adaln;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.text.TextWidth;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.WeightMap.Patch;
import io.xfuser.weights.ComponentConfig;
import java.util.Map;

/**
 * The settings that diffusers' {@code PixArtTransformer2DModel} and {@code LatteTransformer3DModel}
 * have in common.
 *
 * @param layers blocks, of those that look at the caption
 * @param heads attention heads
 * @param headSize width of a head
 * @param patch the latents of a token: of the predicted channels, as many again may be learned
 *     variances
 * @param captionChannels width of the text embeddings
 * @param sampleSize height and width in latents of the pictures trained on
 * @param interpolationScale by which positions are divided
 * @param sizeConditions whether the picture's size and aspect ratio are conditions
 * @param captionMasks whether some of a caption's tokens do not count
 */
public record AdaLnConfig(
    int layers,
    int heads,
    int headSize,
    Patch patch,
    int captionChannels,
    int sampleSize,
    double interpolationScale,
    boolean sizeConditions,
    boolean captionMasks)
    implements SizedTransformer.Size {
  /** Epsilon of all layer norms. */
  public static final double EPSILON = 1e-6;

  private static final String CAPTIONS = "caption_channels";

  @Override
  public int depth() {
    return layers;
  }

  /** Checks the channels. */
  public AdaLnConfig {
    if (patch.predicted() != patch.channels() && patch.predicted() != 2 * patch.channels()) {
      throw new ModelException(
          "out_channels is %d, neither in_channels %d nor twice that"
              .formatted(patch.predicted(), patch.channels()));
    }
  }

  /** C, the hidden size. */
  public int width() {
    return heads * headSize;
  }

  public TextWidth textWidth() {
    return TextWidth.of(CAPTIONS, captionChannels, Map.of("", Ability.STATES));
  }

  /** Heads, where attention is computed. */
  Inner inner() {
    return Inner.heads(heads, headSize);
  }

  /** Rows and columns of tokens of the pictures trained on. */
  int baseGrid() {
    return sampleSize / patch.size();
  }

  /**
   * Read from {@code transformer/config.json}; without size conditions and masks.
   *
   * @throws ModelException naming the setting that is missing or not supported
   */
  public static AdaLnConfig from(ComponentConfig config) {
    config.require("norm_type", "ada_norm_single");
    config.require("activation_fn", "gelu-approximate");
    config.require("attention_bias", true);
    config.require("norm_elementwise_affine", false);
    config.require("norm_eps", EPSILON);
    int heads = config.getInt("num_attention_heads", 16);
    int headSize = config.getInt("attention_head_dim", 72);
    config.require("cross_attention_dim", heads * headSize);
    int sampleSize = config.getInt("sample_size", 128);
    return new AdaLnConfig(
        config.getInt("num_layers", 28),
        heads,
        headSize,
        new Patch(
            config.getInt("patch_size", 2),
            config.getInt("in_channels", 4),
            config.getInt("out_channels", 8)),
        config.getInt(CAPTIONS),
        sampleSize,
        config.getDouble("interpolation_scale", Math.max(sampleSize / 64, 1)),
        false,
        false);
  }

  /** The same with masks, and with or without size conditions. */
  public AdaLnConfig masked(boolean withSizeConditions) {
    return new AdaLnConfig(
        layers,
        heads,
        headSize,
        patch,
        captionChannels,
        sampleSize,
        interpolationScale,
        withSizeConditions,
        true);
  }
}
