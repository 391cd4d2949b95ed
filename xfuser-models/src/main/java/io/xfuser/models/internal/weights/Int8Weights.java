package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDManager;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Weights whose linear layers are read in 8 bits. */
final class Int8Weights extends ForwardingWeights {
  private final Int8 int8;

  Int8Weights(Weights weights, Int8 int8) {
    super(weights);
    this.int8 = int8;
  }

  @Override
  public Optional<InFile> inFile(NDManager owner, Cut cut, String name, long... shape) {
    return weights.inFile(owner, cut, name, shape);
  }

  @Override
  public @Nullable Int8 int8() {
    return int8;
  }

  @Override
  public @Nullable Weights outline() {
    Weights outline = weights.outline();
    return outline == null ? null : new Int8Weights(outline, int8.promised());
  }
}
