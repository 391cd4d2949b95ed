package io.xfuser.models.internal.latte;

import io.xfuser.models.internal.adaln.AdaLn;
import io.xfuser.models.internal.adaln.AdaLnConditioning;
import io.xfuser.models.internal.adaln.AdaLnConfig;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.transformer.TransformerSpec.Modulations;
import io.xfuser.weights.Share;

/**
 * The transformer of Latte ({@code LatteTransformer3DModel} in diffusers). Blocks over the tokens
 * of each frame alternate with blocks over the frames of each token: block 2i is spatial block i,
 * block 2i + 1 temporal block i, so a pipeline stage may begin with either.
 *
 * @param spatial everything but the temporal blocks
 */
public record Latte(AdaLn spatial) implements TransformerSpec<AdaLnConditioning> {
  /** The transformer of these weights. */
  public Latte(AdaLnConfig config, Weights weights) {
    this(new AdaLn(config, weights));
  }

  @Override
  public int depth() {
    return 2 * spatial.depth();
  }

  @Override
  public int heads() {
    return spatial.heads();
  }

  @Override
  public int headSize() {
    return spatial.headSize();
  }

  /** Temporal attention sees the tokens of this rank alone. */
  @Override
  public int attentions(int index) {
    return index % 2 == 0 ? 1 : 0;
  }

  @Override
  public Modulations modulations(int index) {
    return index % 2 == 0 ? spatial.modulations(index / 2) : Modulations.shared(6);
  }

  @Override
  public boolean modulates() {
    return true;
  }

  @Override
  public Block<AdaLnConditioning> block(int index, Share share) {
    return index % 2 == 0
        ? spatial.block(index / 2, share)
        : TemporalBlock.load(
            spatial.config(),
            spatial.weights().at("temporal_transformer_blocks." + index / 2 + "."),
            share,
            index == 1);
  }

  @Override
  public Embedding<AdaLnConditioning> embedding() {
    return spatial.embedding();
  }

  @Override
  public Head<AdaLnConditioning> head() {
    return spatial.head();
  }

  @Override
  public Conditioner<AdaLnConditioning> conditioner() {
    return spatial.conditioner();
  }
}
