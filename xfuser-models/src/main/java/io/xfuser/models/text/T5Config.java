package io.xfuser.models.text;

import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Inner;

/**
 * The sizes of a T5 encoder, from the {@code config.json} of transformers.
 *
 * @param vocabulary rows of the embedding
 * @param width of the hidden states, D
 * @param headWidth of one head, K; heads · K may differ from D
 * @param heads number of heads, H
 * @param layers number of blocks
 * @param innerWidth of the feed-forward layers, F
 * @param gated GELU with a gate (T5 v1.1, mT5) instead of ReLU (T5)
 * @param buckets number of relative positions told apart
 * @param maxDistance from which on all positions share a bucket
 * @param epsilon of the layer norms
 */
public record T5Config(
    int vocabulary,
    int width,
    int headWidth,
    int heads,
    int layers,
    int innerWidth,
    boolean gated,
    int buckets,
    int maxDistance,
    double epsilon) {

  /** Refuses sizes that make no encoder. */
  public T5Config {
    int smallest = Math.min(Math.min(width, headWidth), Math.min(heads, layers));
    if (Math.min(smallest, Math.min(innerWidth, vocabulary)) < 1) {
      throw new IllegalArgumentException(
          "a T5 encoder needs sizes of at least 1, got %d tokens, width %d, %d heads of width %d,"
                  .formatted(vocabulary, width, heads, headWidth)
              + " %d layers, inner width %d".formatted(layers, innerWidth));
    }
    if (buckets < 4 || maxDistance <= buckets / 4) {
      throw new IllegalArgumentException(
          buckets + " buckets cannot hold relative positions up to " + maxDistance);
    }
  }

  /** The heads of an attention. */
  Inner attention() {
    return Inner.heads(heads, headWidth);
  }

  /** The neurons of a feed-forward layer. */
  Inner feedForward() {
    return Inner.neurons(innerWidth);
  }

  /** The rows of the embedding, which shares divide too. */
  Inner rows() {
    return Inner.neurons(vocabulary);
  }

  /**
   * Reads {@code config}.
   *
   * @throws IllegalArgumentException if a size is missing, its feed-forward layer is neither {@code
   *     gated-gelu} nor {@code relu}, or it is a model of another type than T5 and mT5
   */
  public static T5Config of(ComponentConfig config) {
    String type = config.getString("model_type", "t5");
    if (!type.equals("t5") && !type.equals("mt5")) {
      throw new IllegalArgumentException(
          "%s: model_type \"%s\" is not supported, only \"t5\" and \"mt5\""
              .formatted(config.origin(), type));
    }
    String usual = type.equals("mt5") ? "gated-gelu" : "relu";
    String feedForward = config.getString("feed_forward_proj", usual);
    if (!feedForward.equals("gated-gelu") && !feedForward.equals("relu")) {
      throw new IllegalArgumentException(
          "%s: feed_forward_proj \"%s\" is not supported, only \"gated-gelu\" and \"relu\""
              .formatted(config.origin(), feedForward));
    }
    return new T5Config(
        config.getInt("vocab_size"),
        config.getInt("d_model"),
        config.getInt("d_kv", 64),
        config.getInt("num_heads"),
        config.getInt("num_layers"),
        config.getInt("d_ff"),
        feedForward.equals("gated-gelu"),
        config.getInt("relative_attention_num_buckets", 32),
        config.getInt("relative_attention_max_distance", 128),
        config.getDouble("layer_norm_epsilon", 1e-6));
  }
}
