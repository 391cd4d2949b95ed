package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.weights.Cut;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.weights.Share;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
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
  /** (buckets, H) of the own heads. */
  static final String POSITIONS =
      "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";

  /** (D). */
  static final String FINAL_NORM = "encoder.final_layer_norm.weight";

  private static final String SHARED = "shared.weight";
  private static final String OWN = "encoder.embed_tokens.weight";
  // the embedding may be there under both names; the last matrices are read apart
  private static final EncoderWeights.Names NAMES =
      new EncoderWeights.Names(
          "transformer",
          Pattern.compile(
              "decoder\\..*|lm_head\\.weight|encoder\\.embed_tokens\\.weight"
                  + "|encoder\\.block\\.\\d+\\.layer\\.1\\.DenseReluDense\\.wo\\.weight"));

  private T5Weights() {}

  /** Opens {@code source}. */
  static EncoderWeights open(EncoderFolder source, T5Config config, Share share) {
    ElementType type = source.loading().type();
    ElementType exact = type == ElementType.FLOAT16 ? ElementType.FLOAT32 : type;
    return EncoderWeights.open(
        source, NAMES, (to, weights) -> new Source(config, share, weights, to.in(exact)).read(to));
  }

  /** (V, D) of the own rows. */
  static NDArray embedding(EncoderWeights weights) {
    return weights.get(embeddingName(weights::has));
  }

  private static String embeddingName(Predicate<String> has) {
    return has.test(SHARED) ? SHARED : OWN;
  }

  /** What is read of {@code weights}, and of {@code exact} in a type that does not overflow. */
  private record Source(T5Config config, Share share, Weights weights, Weights exact) {
    void read(EncoderWeights to) {
      Cut rows = config.rows().cut(share, 0);
      Cut heads = new Inner(config.heads(), 1).cut(share, 1);
      to.add(weights, rows, embeddingName(weights::has), config.vocabulary(), config.width());
      to.add(weights, heads, POSITIONS, config.buckets(), config.heads());
      to.add(weights, FINAL_NORM, config.width());
      for (int i = 0; i < config.layers(); i++) {
        String block = "encoder.block." + i + ".layer.";
        to.addLayer(scope -> block(scope, weights.at(block), exact.at(block)));
      }
    }

    private List<NDArray> block(NDManager scope, Weights of, Weights exactly) {
      long width = config.width();
      long heads = config.attention().width();
      long inner = config.innerWidth();
      List<NDArray> tensors = new ArrayList<>();
      tensors.add(of.get(scope, "0.layer_norm.weight", width));
      for (String name : List.of("q", "k", "v")) {
        Cut rows = config.attention().cut(share, 0);
        tensors.add(of.get(scope, rows, "0.SelfAttention." + name + ".weight", heads, width));
      }
      Cut mixed = config.attention().cut(share, 1);
      tensors.add(of.get(scope, mixed, "0.SelfAttention.o.weight", width, heads));
      tensors.add(of.get(scope, "1.layer_norm.weight", width));
      for (String name : config.gated() ? List.of("wi_0", "wi_1") : List.of("wi")) {
        Cut rows = config.feedForward().cut(share, 0);
        tensors.add(of.get(scope, rows, "1.DenseReluDense." + name + ".weight", inner, width));
      }
      Cut columns = config.feedForward().cut(share, 1);
      tensors.add(exactly.get(scope, columns, "1.DenseReluDense.wo.weight", width, inner));
      return tensors;
    }
  }
}
