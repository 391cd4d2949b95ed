package io.xfuser.models.internal.parts;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.WeightMap.Patch;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Embedding;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A linear layer over the latents of a token, and its position embedding ({@code PatchEmbed} in
 * diffusers).
 *
 * @param weights of {@code pos_embed.proj} (C, p·p·c)
 * @param positions embeddings (l, C) in fp32 of all tokens that a rank owns; null for none
 * @param <C> the model's conditioning
 */
public record TokenEmbedding<C>(TensorMap weights, @Nullable Function<C, NDArray> positions)
    implements Embedding<C> {
  /** The convolution {@code pos_embed.proj} of {@code weights}. */
  public static <C> TokenEmbedding<C> load(
      Weights weights, long width, Patch patch, Function<C, NDArray> positions) {
    return new TokenEmbedding<>(
        WeightMap.of(weights, w -> w.patches("pos_embed.proj", width, patch)), positions);
  }

  /** The same for a transformer that does without position embeddings. */
  public static <C> TokenEmbedding<C> load(Weights weights, long width, Patch patch) {
    return new TokenEmbedding<>(
        WeightMap.of(weights, w -> w.patches("pos_embed.proj", width, patch)), null);
  }

  @Override
  public NDArray embed(NDManager owner, NDArray tokens, TokenRange local, C conditioning) {
    if (positions == null) {
      return GridPositions.PROGRAM.call(owner, "embed_alone", tokens, weights); // (B, l, C)
    }
    try (NDManager scope = owner.newSubManager()) {
      NDArray all = positions.apply(conditioning);
      NDArray own = Torch.slice(scope, all, 0, local.from(), local.to()); // (l, C)
      return GridPositions.PROGRAM.call(owner, "embed", tokens, own, weights); // (B, l, C)
    }
  }
}
