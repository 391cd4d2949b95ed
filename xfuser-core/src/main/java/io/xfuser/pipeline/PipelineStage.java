package io.xfuser.pipeline;

import ai.djl.ndarray.NDManager;
import io.xfuser.nn.TokenRange;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Exchange;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.LoadedTransformer;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The part of a transformer that one rank owns: consecutive blocks, the embedding on the first
 * stage, the head on the last.
 *
 * @param first the number of the first of the blocks
 */
record PipelineStage<C>(
    int first,
    List<Block<C>> blocks,
    Conditioner<C> conditioner,
    @Nullable Embedding<C> embeddingOrNull,
    @Nullable Head<C> headOrNull) {

  static <C> PipelineStage<C> of(LoadedTransformer<C> transformer, TokenRange blocks, Share share) {
    return new PipelineStage<>(
        blocks.from(),
        IntStream.range(blocks.from(), blocks.to())
            .mapToObj(index -> transformer.block(index, share))
            .toList(),
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

  /**
   * The hidden states after all blocks of this stage, owned by {@code owner}.
   *
   * @param exchanges those of each block
   * @param skips brings and takes what blocks read of blocks other than the one before
   */
  Hidden forward(
      NDManager owner, Hidden x, C conditioning, List<Exchange> exchanges, LongSkips.Pass skips) {
    NDManager previous = owner.newSubManager();
    Hidden hidden = x;
    for (int i = 0; i < blocks.size(); i++) {
      NDManager scope = i == blocks.size() - 1 ? owner : owner.newSubManager();
      Hidden input = skips.before(first + i, hidden);
      hidden = blocks.get(i).forward(scope, input, conditioning, exchanges.get(i));
      skips.after(first + i, hidden);
      previous.close(); // the input of this block, unless it came from outside
      previous = scope;
    }
    skips.end();
    return hidden;
  }

  /** Bytes of the weights that this stage needs. */
  long parameterBytes() {
    return blocks.stream().mapToLong(Block::parameterBytes).sum()
        + conditioner.parameterBytes()
        + (embeddingOrNull == null ? 0 : embeddingOrNull.parameterBytes())
        + (headOrNull == null ? 0 : headOrNull.parameterBytes());
  }
}
