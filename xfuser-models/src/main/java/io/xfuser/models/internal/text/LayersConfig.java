package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.weights.ComponentConfig;
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
 * @param activation {@code gelu}, {@code gelu_pytorch_tanh} or {@code quick_gelu}
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

  private static final Set<String> ACTIVATIONS = Set.of("gelu", "gelu_pytorch_tanh", "quick_gelu");

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

  TextSizes.Width states() {
    return new TextSizes.Width("hidden_size", width);
  }

  private void check(String origin) {
    if (!ACTIVATIONS.contains(activation)) {
      throw new ModelException(
          "%s: hidden_act \"%s\" is not supported, only \"gelu\", \"gelu_pytorch_tanh\" and \"quick_gelu\""
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

  /** Reads a layer of the modules that {@code names} says. */
  WeightMap layer(WeightMap w, LayerNames names) {
    Inner attention = Inner.neurons(width);
    Inner feedForward = Inner.neurons(innerWidth);
    names.projections().forEach(name -> w.inward(name, attention, width));
    names.norms().forEach(name -> w.norm(name, width));
    return w.outward(names.mixed(), width, attention)
        .inward(names.inner(), feedForward, width)
        .outward(names.outer(), width, feedForward);
  }

  /**
   * The modules of a layer.
   *
   * @param projections of the attention to queries, keys and values, each (C, C)
   * @param mixed of the attention back to the tokens, (C, C)
   * @param inner of the feed-forward layer, (F, C)
   * @param outer of it too, (C, F)
   * @param norms (C)
   */
  record LayerNames(
      List<String> projections, String mixed, String inner, String outer, List<String> norms) {}

  /** The number of tokens of {@code ids} (B, T), which must be no more than the positions. */
  void checkLength(NDArray ids) {
    if (ids.getShape().dimension() != 2 || ids.getShape().get(1) > positions) {
      throw new ModelException(
          "ids must be (texts, tokens) with at most %d tokens, got %s"
              .formatted(positions, ids.getShape()));
    }
  }
}
