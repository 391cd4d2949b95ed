package io.xfuser.pipeline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.nn.TokenRange;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.LoadedTransformer;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The part of a transformer that one rank owns: consecutive blocks, the embedding on the first
 * stage, the head on the last.
 */
record PipelineStage<C>(
    List<Block<C>> blocks,
    Conditioner<C> conditioner,
    @Nullable Embedding<C> embeddingOrNull,
    @Nullable Head<C> headOrNull) {

  static <C> PipelineStage<C> of(LoadedTransformer<C> transformer, TokenRange blocks) {
    return new PipelineStage<>(
        IntStream.range(blocks.from(), blocks.to()).mapToObj(transformer::block).toList(),
        transformer.conditioner(),
        blocks.from() == 0 ? transformer.embedding() : null,
        blocks.to() == transformer.spec().depth() ? transformer.head() : null);
  }

  Embedding<C> embedding() {
    return Objects.requireNonNull(embeddingOrNull, "only the first stage embeds");
  }

  Head<C> head() {
    return Objects.requireNonNull(headOrNull, "only the last stage has the head");
  }

  /** The hidden states (B, l, C) after all blocks of this stage, block i with attention i. */
  NDArray forward(NDManager owner, Hidden x, C conditioning, List<Attention> attentions) {
    NDManager previous = owner.newSubManager();
    Hidden hidden = x;
    for (int i = 0; i < blocks.size(); i++) {
      NDManager scope = i == blocks.size() - 1 ? owner : owner.newSubManager();
      NDArray next = blocks.get(i).forward(scope, hidden, conditioning, attentions.get(i));
      hidden = hidden.with(next);
      previous.close(); // the input of this block, unless it came from outside
      previous = scope;
    }
    return hidden.image();
  }

  /** Bytes of the weights that this stage needs. */
  long parameterBytes() {
    return blocks.stream().mapToLong(Block::parameterBytes).sum()
        + conditioner.parameterBytes()
        + (embeddingOrNull == null ? 0 : embeddingOrNull.parameterBytes())
        + (headOrNull == null ? 0 : headOrNull.parameterBytes());
  }
}
