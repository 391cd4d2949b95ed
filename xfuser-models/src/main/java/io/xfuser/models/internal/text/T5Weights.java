package io.xfuser.models.internal.text;

import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Reads the tensors of a T5 encoder, or of a share of it, as {@code t5.py} takes them: a share has
 * some heads, with their columns of the relative positions, some neurons of the feed-forward layers
 * and some rows of the embedding.
 *
 * <p>In float16 the last matrix of the feed-forward layers stays float32, as in transformers, since
 * its products overflow (huggingface/transformers#20287).
 */
final class T5Weights {
  /** The table of relative positions, of a block that has one. */
  static final String POSITIONS = "layer.0.SelfAttention.relative_attention_bias";

  // the embedding may be there under both names; the last matrices are read apart
  private static final EncoderWeights.Names NAMES =
      new EncoderWeights.Names(
          "transformer",
          Pattern.compile(
              "decoder\\..*|lm_head\\.weight|encoder\\.embed_tokens\\.weight"
                  + "|encoder\\.block\\.\\d+\\.layer\\.1\\.DenseReluDense\\.wo\\.weight"));

  private T5Weights() {}

  static EncoderWeights open(EncoderFolder source, T5Config config, Share share) {
    ElementType type = source.loading().type();
    ElementType exact = type == ElementType.FLOAT16 ? ElementType.FLOAT32 : type;
    return EncoderWeights.open(
        source, NAMES, (to, weights) -> new Source(config, share, weights, to.in(exact)).read(to));
  }

  /** What is read of {@code weights}, and of {@code exact} in a type that does not overflow. */
  private record Source(T5Config config, Share share, Weights weights, Weights exact) {
    void read(EncoderWeights to) {
      to.outside(WeightMap.of(weights, share, w -> outside(w.withoutBias().plain())));
      for (int i = 0; i < config.layers(); i++) {
        Weights block = weights.at("encoder.block." + i + ".");
        Weights exactly = exact.at("encoder.block." + i + ".");
        boolean positioned = i == 0 || config.positioned();
        to.addLayer(
            WeightMap.of(
                block,
                share,
                w ->
                    positioned
                        ? block(positions(w.withoutBias()), exactly)
                        : block(w.withoutBias(), exactly)));
      }
    }

    private WeightMap positions(WeightMap w) {
      w.plain().outward(POSITIONS, config.buckets(), Inner.heads(config.heads(), 1));
      return w;
    }

    private WeightMap outside(WeightMap w) {
      String embedding = weights.has("shared.weight") ? "shared" : "encoder.embed_tokens";
      return w.table(
              new Joined("shared", List.of(embedding)),
              config.rows().cut(share, 0),
              config.rows().width(),
              config.width())
          .norm("encoder.final_layer_norm", config.width());
    }

    private WeightMap block(WeightMap w, Weights exactly) {
      long width = config.width();
      w.norm("layer.0.layer_norm", width).norm("layer.1.layer_norm", width);
      for (String name : List.of("q", "k", "v")) {
        w.inward("layer.0.SelfAttention." + name, config.attention(), width);
      }
      w.outward("layer.0.SelfAttention.o", width, config.attention());
      String feedForward = "layer.1.DenseReluDense.";
      for (String name : config.gated() ? List.of("wi_0", "wi_1") : List.of("wi")) {
        w.inward(feedForward + name, config.feedForward(), width);
      }
      w.reading(exactly).outward(feedForward + "wo", width, config.feedForward());
      return w;
    }
  }
}
