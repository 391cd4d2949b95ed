package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.weights.ComponentConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The sizes that CLIP's and BERT's {@code config.json} have in common.
 *
 * @param vocabulary rows of the token embedding, V
 * @param positions rows of the position embedding: the longest text, in tokens
 * @param width of the hidden states, C
 * @param heads number of heads
 * @param layers number of layers
 * @param innerWidth of the feed-forward layers, F
 * @param activation {@code gelu} or {@code quick_gelu}
 * @param epsilon of the layer norms
 */
record LayersConfig(
    int vocabulary,
    int positions,
    int width,
    int heads,
    int layers,
    int innerWidth,
    String activation,
    double epsilon) {
  /** The defaults of transformers' {@code CLIPTextConfig}. */
  static final LayersConfig CLIP =
      new LayersConfig(49408, 77, 512, 8, 12, 2048, "quick_gelu", 1e-5);

  /** The defaults of its {@code BertConfig}. */
  static final LayersConfig BERT = new LayersConfig(30522, 512, 768, 12, 12, 3072, "gelu", 1e-12);

  private static final Set<String> ACTIVATIONS = Set.of("gelu", "quick_gelu");

  /**
   * Reads {@code config}; what it leaves out is as in {@code usual}.
   *
   * @throws ModelException if the sizes make no encoder, or for another activation
   */
  static LayersConfig of(ComponentConfig json, LayersConfig usual) {
    ComponentConfig config = json.unquantized();
    LayersConfig read =
        new LayersConfig(
            config.getInt("vocab_size", usual.vocabulary),
            config.getInt("max_position_embeddings", usual.positions),
            config.getInt("hidden_size", usual.width),
            config.getInt("num_attention_heads", usual.heads),
            config.getInt("num_hidden_layers", usual.layers),
            config.getInt("intermediate_size", usual.innerWidth),
            config.getString("hidden_act", usual.activation),
            config.getDouble("layer_norm_eps", usual.epsilon));
    read.check(config.origin());
    return read;
  }

  private void check(String origin) {
    if (!ACTIVATIONS.contains(activation)) {
      throw new ModelException(
          "%s: hidden_act \"%s\" is not supported, only \"gelu\" and \"quick_gelu\""
              .formatted(origin, activation));
    }
    int smallest = Math.min(Math.min(vocabulary, positions), Math.min(heads, layers));
    if (Math.min(smallest, Math.min(width, innerWidth)) < 1 || width % heads != 0) {
      throw new ModelException(
          "%s: %d tokens, %d positions, %d layers of %d heads over width %d and inner width %d"
                  .formatted(origin, vocabulary, positions, layers, heads, width, innerWidth)
              + " make no text encoder");
    }
  }

  /**
   * The weights of a layer in the order of {@code encoder.py}, each with its bias.
   *
   * @param names of the query, key, value, output, inner and outer projections and both norms
   */
  List<NDArray> layer(NDManager scope, Weights weights, List<String> names) {
    List<NDArray> tensors = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      long out = i == 4 ? innerWidth : width;
      long in = i == 5 ? innerWidth : width;
      long[] shape = i < 6 ? new long[] {out, in} : new long[] {out};
      tensors.add(weights.get(scope, names.get(i) + ".weight", shape));
      tensors.add(weights.get(scope, names.get(i) + ".bias", out));
    }
    return tensors;
  }

  /** The number of tokens of {@code ids} (B, T), which must be no more than the positions. */
  void checkLength(NDArray ids) {
    if (ids.getShape().dimension() != 2 || ids.getShape().get(1) > positions) {
      throw new ModelException(
          "ids must be (texts, tokens) with at most %d tokens, got %s"
              .formatted(positions, ids.getShape()));
    }
  }
}
