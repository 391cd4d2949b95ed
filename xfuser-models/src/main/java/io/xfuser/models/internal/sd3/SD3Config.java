package io.xfuser.models.internal.sd3;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.models.internal.weights.WeightMap.Patch;
import io.xfuser.weights.ComponentConfig;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What distinguishes one transformer of Stable Diffusion 3 from another, as in diffusers' {@code
 * SD3Transformer2DModel}.
 *
 * @param depth blocks
 * @param heads attention heads
 * @param headSize width of a head
 * @param patch the latents of a token
 * @param textWidth width of the text embeddings
 * @param pooledWidth width of the pooled text embeddings
 * @param sampleSize height and width in latents of the pictures trained on
 * @param table rows and columns of the table of position embeddings, in tokens
 * @param dual the blocks with a second attention, over image tokens alone
 * @param normed whether queries and keys are normed
 */
public record SD3Config(
    int depth,
    int heads,
    int headSize,
    Patch patch,
    int textWidth,
    int pooledWidth,
    int sampleSize,
    int table,
    Set<Integer> dual,
    boolean normed)
    implements SizedTransformer.Size {

  public SD3Config {
    dual = Set.copyOf(dual);
  }

  /** Attentions of block {@code index} without an adapter. */
  int attentions(int index) {
    return dual.contains(index) ? 2 : 1;
  }

  /** How many of them are in the blocks before {@code index}. */
  int attentionsBefore(int index) {
    return IntStream.range(0, index).map(this::attentions).sum();
  }

  /** C, the hidden size. */
  public int width() {
    return heads * headSize;
  }

  /**
   * Read from {@code transformer/config.json}.
   *
   * @throws ModelException naming the setting that is missing or not supported
   */
  public static SD3Config from(ComponentConfig config) {
    int heads = config.getInt("num_attention_heads", 18);
    int headSize = config.getInt("attention_head_dim", 64);
    int channels = config.getInt("in_channels", 16);
    if (config.getInt("caption_projection_dim", 1152) != heads * headSize) {
      throw new ModelException(
          "%s: caption_projection_dim is %d, but %d heads of %d need %d"
              .formatted(
                  config.origin(),
                  config.getInt("caption_projection_dim", 1152),
                  heads,
                  headSize,
                  heads * headSize));
    }
    if (config.getInt("out_channels", channels) != channels) {
      throw new ModelException(
          "%s: out_channels is %s, but in_channels is %d"
              .formatted(config.origin(), config.text("out_channels"), channels));
    }
    boolean normed = config.has("qk_norm");
    config.require("qk_norm", "rms_norm");
    return new SD3Config(
        config.getInt("num_layers", 18),
        heads,
        headSize,
        new Patch(config.getInt("patch_size", 2), channels, channels),
        config.getInt("joint_attention_dim", 4096),
        config.getInt("pooled_projection_dim", 2048),
        config.getInt("sample_size", 128),
        config.getInt("pos_embed_max_size", 96),
        config.has("dual_attention_layers")
            ? Set.copyOf(config.getIntList("dual_attention_layers"))
            : Set.of(),
        normed);
  }
}
