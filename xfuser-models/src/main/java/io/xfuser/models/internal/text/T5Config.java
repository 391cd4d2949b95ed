package io.xfuser.models.internal.text;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.weights.ComponentConfig;
import java.util.List;
import java.util.Map;

/**
 * The sizes of a T5 encoder, from the {@code config.json} of transformers.
 *
 * @param vocabulary rows of the embedding
 * @param width of the hidden states, D
 * @param headWidth of one head, K; heads · K may differ from D
 * @param heads number of heads, H
 * @param layers number of blocks
 * @param innerWidth of the feed-forward layers, F
 * @param gated GELU with a gate (T5 v1.1, mT5, UMT5) instead of ReLU (T5)
 * @param buckets number of relative positions told apart
 * @param maxDistance from which on all positions share a bucket
 * @param positioned whether every block has relative positions of its own (UMT5), not only the
 *     first those of all
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
    boolean positioned,
    double epsilon) {

  private static final String T5 = "t5";
  private static final String MT5 = "mt5";
  private static final String UMT5 = "umt5";

  /** Refuses sizes that make no encoder. */
  public T5Config {
    int smallest = Math.min(Math.min(width, headWidth), Math.min(heads, layers));
    if (Math.min(smallest, Math.min(innerWidth, vocabulary)) < 1) {
      throw new ModelException(
          "a T5 encoder needs sizes of at least 1, got %d tokens, width %d, %d heads of width %d,"
                  .formatted(vocabulary, width, heads, headWidth)
              + " %d layers, inner width %d".formatted(layers, innerWidth));
    }
    if (buckets < 4 || maxDistance <= buckets / 4) {
      throw new ModelException(
          buckets + " buckets cannot hold relative positions up to " + maxDistance);
    }
  }

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
   * Reads {@code json}; what it leaves out has the default of the class that it is for, which is
   * the one of {@code model_index.json}, or else of its {@code model_type}.
   *
   * @throws ModelException if its feed-forward layer is neither {@code gated-gelu} nor {@code
   *     relu}, or it is a model of another type than T5, mT5 and UMT5 and no index names a class
   */
  public static T5Config of(ComponentConfig json) {
    String type = type(json);
    ComponentConfig config = json.part(null, type).unquantized();
    boolean multilingual = !type.equals(T5);
    String feedForward =
        config.getString("feed_forward_proj", multilingual ? "gated-gelu" : "relu");
    if (!feedForward.equals("gated-gelu") && !feedForward.equals("relu")) {
      throw new ModelException(
          "%s: feed_forward_proj \"%s\" is not supported, only \"gated-gelu\" and \"relu\""
              .formatted(config.origin(), feedForward));
    }
    return new T5Config(
        config.getInt("vocab_size", multilingual ? 250112 : 32128),
        config.getInt("d_model", 512),
        config.getInt("d_kv", 64),
        config.getInt("num_heads", multilingual ? 6 : 8),
        config.getInt("num_layers", multilingual ? 8 : 6),
        config.getInt("d_ff", multilingual ? 1024 : 2048),
        feedForward.equals("gated-gelu"),
        config.getInt("relative_attention_num_buckets", 32),
        config.getInt("relative_attention_max_distance", 128),
        type.equals(UMT5),
        config.getDouble("layer_norm_epsilon", 1e-6));
  }

  TextSizes sizes() {
    return new TextSizes(vocabulary, Map.of(Ability.STATES, new TextSizes.Width("d_model", width)));
  }

  /** A model's own type does not count where its class is known, as in transformers. */
  private static String type(ComponentConfig config) {
    return config
        .className()
        .map(name -> name.startsWith("UMT5") ? UMT5 : name.startsWith("MT5") ? MT5 : T5)
        .orElseGet(
            () -> {
              String type = config.getString("model_type", T5);
              if (!List.of(T5, MT5, UMT5).contains(type)) {
                throw new ModelException(
                    "%s: model_type \"%s\" is not supported, only \"t5\", \"mt5\" and \"umt5\""
                        .formatted(config.origin(), type));
              }
              return type;
            });
  }
}
