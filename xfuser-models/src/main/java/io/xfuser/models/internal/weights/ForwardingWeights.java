package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** All that {@code weights} have, as they have it: what a decorator changes, it overrides. */
public abstract class ForwardingWeights implements Weights {
  protected final Weights weights;

  protected ForwardingWeights(Weights weights) {
    this.weights = weights;
  }

  @Override
  public boolean has(String name) {
    return weights.has(name);
  }

  @Override
  public NDArray get(NDManager owner, String name, long... shape) {
    return weights.get(owner, name, shape);
  }

  @Override
  public NDArray get(NDManager owner, Cut cut, String name, long... shape) {
    return weights.get(owner, cut, name, shape);
  }

  /** Not what is in the file, as a decorator may change that. */
  @Override
  public Optional<InFile> inFile(NDManager owner, Cut cut, String name, long... shape) {
    return Optional.empty();
  }

  @Override
  public boolean keepsTypes() {
    return weights.keepsTypes();
  }

  @Override
  public @Nullable Int8 int8() {
    return weights.int8();
  }

  /** That of the decorated: what changes neither names nor shapes nor types. */
  @Override
  public @Nullable Weights outline() {
    return weights.outline();
  }

  @Override
  public void expect(Predicate<String> used) {
    weights.expect(used);
  }
}
