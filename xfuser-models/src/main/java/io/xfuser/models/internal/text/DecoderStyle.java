package io.xfuser.models.internal.text;

import java.util.Collections;
import java.util.List;

/**
 * What one family of causal language models does otherwise than another.
 *
 * @param biased whether queries, keys and values have a bias
 * @param headNorms whether the heads of queries and keys are normed
 * @param outerNorms whether what attention and feed-forward layer give is normed before it is
 *     added; then all norms multiply by 1 + their weights, and the gate of a feed-forward layer is
 *     a GELU by its tanh approximation, not a SiLU
 * @param embedding by what embeddings are multiplied
 * @param queries by what queries are multiplied, beside 1 / √D
 * @param window how many tokens a sliding layer sees, itself included
 * @param sliding of each layer, whether it slides; empty if none does
 * @param cut whether layers after those that there are, and the norm at the end, are left out
 */
record DecoderStyle(
    boolean biased,
    boolean headNorms,
    boolean outerNorms,
    double embedding,
    double queries,
    int window,
    List<Boolean> sliding,
    boolean cut) {
  DecoderStyle {
    sliding = List.copyOf(sliding);
  }

  /** As Qwen's: whether there are biases, and norms of heads, is all that may differ. */
  static DecoderStyle plain(boolean biased, boolean headNorms) {
    return new DecoderStyle(biased, headNorms, false, 1, 1, Integer.MAX_VALUE, List.of(), false);
  }

  /** The same, all of {@code layers} seeing so many tokens. */
  DecoderStyle sliding(int tokens, int layers) {
    List<Boolean> all = Collections.nCopies(layers, true);
    return new DecoderStyle(biased, headNorms, outerNorms, embedding, queries, tokens, all, cut);
  }

  /** The same without the end, if {@code really}. */
  DecoderStyle cut(boolean really) {
    return new DecoderStyle(
        biased, headNorms, outerNorms, embedding, queries, window, sliding, really);
  }

  /** Whether {@code layer} sees no more than the window. */
  boolean slides(int layer) {
    return !sliding.isEmpty() && sliding.get(layer);
  }

  /** Every other layer slides, from the first on. */
  static List<Boolean> alternating(int layers) {
    return Collections.nCopies((layers + 1) / 2, List.of(true, false)).stream()
        .flatMap(List::stream)
        .limit(layers)
        .toList();
  }
}
