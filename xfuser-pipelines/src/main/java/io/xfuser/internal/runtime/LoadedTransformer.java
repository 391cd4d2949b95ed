package io.xfuser.internal.runtime;

import io.xfuser.model.PipelineModel;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The parts of a transformer that the ranks of this process have asked for. Ranks that need the
 * same part share one copy.
 *
 * @param <C> the model's conditioning
 */
public final class LoadedTransformer<C> implements AutoCloseable {
  private record BlockShare(int index, Share share) {}

  private final TransformerSpec<C> spec;
  private final Map<BlockShare, Block<C>> blocks = new ConcurrentHashMap<>();
  private final Shared<Embedding<C>> embedding;
  private final Shared<Head<C>> head;
  private final Shared<Conditioner<C>> conditioner;

  /** Nothing loaded yet. */
  public LoadedTransformer(TransformerSpec<C> spec) {
    this.spec = spec;
    this.embedding = new Shared<>(spec::embedding);
    this.head = new Shared<>(spec::head);
    this.conditioner = new Shared<>(spec::conditioner);
  }

  /** All transformers of {@code model}, nothing of them loaded yet. */
  public static <C> List<LoadedTransformer<C>> of(PipelineModel<C> model, Placement placement) {
    return model.transformers(placement).stream().map(LoadedTransformer::new).toList();
  }

  /** What it is made from. */
  public TransformerSpec<C> spec() {
    return spec;
  }

  public Block<C> block(int index, Share share) {
    return blocks.computeIfAbsent(
        new BlockShare(index, share), key -> spec.block(key.index(), key.share()));
  }

  /** What turns tokens into hidden states. */
  public Embedding<C> embedding() {
    return embedding.get();
  }

  /** What turns hidden states into the prediction. */
  public Head<C> head() {
    return head.get();
  }

  /** What every block's conditioning needs. */
  public Conditioner<C> conditioner() {
    return conditioner.get();
  }

  /** Bytes of all weights loaded in this process, each counted once. */
  public long parameterBytes() {
    return blocks.values().stream().mapToLong(Block::parameterBytes).sum()
        + embedding.bytes(Embedding::parameterBytes)
        + head.bytes(Head::parameterBytes)
        + conditioner.bytes(Conditioner::parameterBytes);
  }

  @Override
  public void close() {
    blocks.values().forEach(Block::close);
    blocks.clear();
    embedding.close();
    head.close();
    conditioner.close();
  }
}
