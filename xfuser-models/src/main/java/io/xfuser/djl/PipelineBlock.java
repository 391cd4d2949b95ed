package io.xfuser.djl;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.io.DataOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * What stands for a pipeline where DJL expects a block. No tensor passes it: a pipeline is many
 * networks on several ranks, which a predictor's translator has generate.
 */
final class PipelineBlock extends AbstractBlock {
  private final PairList<String, Shape> input;

  /** Describes its input as {@code input}. */
  PipelineBlock(PairList<String, Shape> input) {
    this.input = input;
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore parameters,
      NDList inputs,
      boolean training,
      @Nullable PairList<String, Object> options) {
    throw refusal("no tensors pass it");
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputShapes) {
    throw refusal("no tensors come from it");
  }

  @Override
  public PairList<String, Shape> describeInput() {
    return input;
  }

  @Override
  public boolean isInitialized() {
    return true;
  }

  @Override
  public void cast(DataType type) {
    throw refusal("the argument dtype chooses its type when it is opened");
  }

  @Override
  public void saveParameters(DataOutputStream out) {
    throw refusal("its weights are the files that it was opened from");
  }

  static UnsupportedOperationException refusal(String reason) {
    return new UnsupportedOperationException("a pipeline is no block of tensors: " + reason);
  }
}
