package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.Offload;
import io.xfuser.internal.weights.Ahead;
import io.xfuser.internal.weights.Prefetcher;
import io.xfuser.nn.Range;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.Part;
import io.xfuser.weights.Share;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The part of a transformer that one rank owns: consecutive blocks, the embedding on the first
 * stage, the head on the last.
 *
 * @param first the number of the first of the blocks
 * @param offload which weights are in memory only while they are used
 * @param ahead reads blocks ahead of use; null where they are not
 */
record PipelineStage<C>(
    int first,
    List<Block<C>> blocks,
    Conditioner<C> conditioner,
    @Nullable Embedding<C> embeddingOrNull,
    @Nullable Head<C> headOrNull,
    Offload offload,
    @Nullable Ahead ahead) {
  private static final TensorMap.Hold NOTHING = () -> {};

  /**
   * Loads the parts. Those that leave the device are read once, so that all files are checked; of
   * those that are read ahead only shapes are, and what stays is read now.
   */
  static <C> PipelineStage<C> of(
      LoadedTransformer<C> transformer, Range blocks, Share share, Holding holding) {
    Offload offload = holding.offload();
    BitSet stay = holding.stay(blocks.length());
    List<Block<C>> own = new ArrayList<>();
    for (int index = blocks.from(); index < blocks.to(); index++) {
      Block<C> block = transformer.block(index, share);
      if (offload == Offload.LAYERWISE && stay.get(index - blocks.from())) {
        boolean unused = block.weights().load();
      } else {
        settled(block, offload);
      }
      own.add(block);
    }
    Prefetcher prefetcher = holding.prefetcher();
    return new PipelineStage<>(
        blocks.from(),
        List.copyOf(own),
        settled(transformer.conditioner(), offload),
        blocks.from() == 0 ? settled(transformer.embedding(), offload) : null,
        blocks.to() == transformer.spec().depth() ? settled(transformer.head(), offload) : null,
        offload,
        prefetcher == null
            ? null
            : prefetcher.along(own.stream().map(Part::weights).toList(), stay));
  }

  private static <P extends Part> P settled(P part, Offload offload) {
    if (offload != Offload.NONE) {
      part.weights().release();
    }
    return part;
  }

  /**
   * The weights stay on the device until this is closed, or those that do not go block by block.
   */
  TensorMap.Hold hold() {
    if (offload == Offload.NONE) {
      return NOTHING;
    }
    List<Part> parts = new ArrayList<>(offload == Offload.MODEL ? blocks : List.of());
    Stream.of(conditioner, embeddingOrNull, headOrNull).filter(x -> x != null).forEach(parts::add);
    List<TensorMap.Hold> holds = parts.stream().map(part -> part.weights().hold()).toList();
    return () -> {
      holds.forEach(TensorMap.Hold::close);
      stopReading();
    };
  }

  private void stopReading() {
    if (ahead != null) {
      ahead.close();
    }
  }

  /** The same, with the blocks of these numbers left out. */
  PipelineStage<C> without(Set<Integer> leftOut) {
    List<Block<C>> others = new ArrayList<>();
    BitSet unread = new BitSet();
    for (int i = 0; i < blocks.size(); i++) {
      Block<C> block = blocks.get(i);
      unread.set(i, leftOut.contains(first + i));
      others.add(unread.get(i) ? new LeftOut<>(block) : block);
    }
    Ahead way = ahead == null ? null : ahead.without(unread);
    return new PipelineStage<>(
        first, others, conditioner, embeddingOrNull, headOrNull, offload, way);
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
   * @param contexts those of each block
   * @param skips brings and takes what blocks read of blocks other than the one before
   */
  Hidden forward(
      NDManager owner,
      Hidden x,
      C conditioning,
      List<BlockContext> contexts,
      LongSkips.Pass skips) {
    Hidden out = forward(owner, x, conditioning, contexts, skips, Range.of(blocks.size()));
    skips.end();
    return out;
  }

  /**
   * The same after some of them; once all are done, the caller ends the pass of {@code skips}.
   *
   * @param own which, the first one of the stage being 0; none: {@code x}
   */
  Hidden forward(
      NDManager owner,
      Hidden x,
      C conditioning,
      List<BlockContext> contexts,
      LongSkips.Pass skips,
      Range own) {
    try {
      return passed(owner, x, conditioning, contexts, skips, own);
    } catch (RuntimeException | Error e) {
      stopReading();
      throw e;
    }
  }

  private Hidden passed(
      NDManager owner,
      Hidden x,
      C conditioning,
      List<BlockContext> contexts,
      LongSkips.Pass skips,
      Range own) {
    NDManager previous = owner.newSubManager();
    Hidden hidden = x;
    for (int i = own.from(); i < own.to(); i++) {
      NDManager scope = i == own.to() - 1 ? owner : owner.newSubManager();
      Hidden input = skips.before(first + i, hidden);
      Block<C> block = blocks.get(i);
      TensorMap.Hold inUse = held(i, own.to());
      try (inUse) {
        hidden = block.forward(scope, input, conditioning, contexts.get(i));
      }
      skips.after(first + i, hidden);
      previous.close(); // the input of this block, unless it came from outside
      previous = scope;
    }
    return hidden;
  }

  /** Block {@code i} of the stage; those before {@code end} are used after it. */
  private TensorMap.Hold held(int i, int end) {
    if (ahead != null) {
      return ahead.use(i, end);
    }
    return offload == Offload.SEQUENTIAL ? blocks.get(i).weights().hold() : NOTHING;
  }

  /** Says that all blocks will be used next: the first is read from now on. */
  void expectPass() {
    if (ahead != null) {
      ahead.expect(0, blocks.size());
    }
  }

  /** What the first block makes of its input (B, l, C) before it attends. */
  NDArray modulated(NDManager owner, Hidden x, C conditioning) {
    TensorMap.Hold inUse = held(0, 1);
    try (inUse) {
      return blocks.get(0).modulated(owner, x, conditioning);
    }
  }

  /** Bytes of the weights that this stage needs. */
  long parameterBytes() {
    return blocks.stream().mapToLong(Block::parameterBytes).sum()
        + conditioner.parameterBytes()
        + (embeddingOrNull == null ? 0 : embeddingOrNull.parameterBytes())
        + (headOrNull == null ? 0 : headOrNull.parameterBytes());
  }
}
