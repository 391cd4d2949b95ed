package io.xfuser.models.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.weights.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Reads the tensors of a T5 encoder as {@code t5.py} takes them.
 *
 * <p>In float16 the last matrix of the feed-forward layers stays float32, as in transformers, since
 * its products overflow (huggingface/transformers#20287).
 */
final class T5Weights {
  /** (buckets, H). */
  static final String POSITIONS =
      "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";

  /** (D). */
  static final String FINAL_NORM = "encoder.final_layer_norm.weight";

  private static final String SHARED = "shared.weight";
  private static final String OWN = "encoder.embed_tokens.weight";
  // the embedding may be there under both names; the last matrices are read apart
  private static final Pattern UNUSED =
      Pattern.compile(
          "decoder\\..*|lm_head\\.weight|encoder\\.embed_tokens\\.weight"
              + "|encoder\\.block\\.\\d+\\.layer\\.1\\.DenseReluDense\\.wo\\.weight");

  private T5Weights() {}

  /** Opens {@code model.safetensors} or its shards. */
  static EncoderWeights open(EncoderWeights.Source source, T5Config config) {
    ElementType type = source.loading().type();
    ElementType exact = type == ElementType.FLOAT16 ? ElementType.FLOAT32 : type;
    return EncoderWeights.open(
        source, UNUSED, (to, weights) -> read(to, config, weights, to.file(exact)));
  }

  private static void read(EncoderWeights to, T5Config config, Weights weights, Weights exact) {
    to.add(weights, embeddingName(weights::has), config.vocabulary(), config.width());
    to.add(weights, POSITIONS, config.buckets(), config.heads());
    to.add(weights, FINAL_NORM, config.width());
    for (int i = 0; i < config.layers(); i++) {
      String block = "encoder.block." + i + ".layer.";
      to.addLayer(scope -> block(scope, config, weights.at(block), exact.at(block)));
    }
  }

  /** (V, D). */
  static NDArray embedding(EncoderWeights weights) {
    return weights.get(embeddingName(weights::has));
  }

  private static String embeddingName(Predicate<String> has) {
    return has.test(SHARED) ? SHARED : OWN;
  }

  private static List<NDArray> block(
      NDManager scope, T5Config config, Weights weights, Weights exact) {
    long width = config.width();
    long heads = (long) config.heads() * config.headWidth();
    long inner = config.innerWidth();
    List<NDArray> tensors = new ArrayList<>();
    tensors.add(weights.get(scope, "0.layer_norm.weight", width));
    for (String name : List.of("q", "k", "v")) {
      tensors.add(weights.get(scope, "0.SelfAttention." + name + ".weight", heads, width));
    }
    tensors.add(weights.get(scope, "0.SelfAttention.o.weight", width, heads));
    tensors.add(weights.get(scope, "1.layer_norm.weight", width));
    for (String name : config.gated() ? List.of("wi_0", "wi_1") : List.of("wi")) {
      tensors.add(weights.get(scope, "1.DenseReluDense." + name + ".weight", inner, width));
    }
    tensors.add(exact.get(scope, "1.DenseReluDense.wo.weight", width, inner));
    return tensors;
  }
}
