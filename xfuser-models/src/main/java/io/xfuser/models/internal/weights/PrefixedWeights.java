package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/** The tensors of {@code all} whose names begin with {@code prefix}. */
record PrefixedWeights(SafeTensors all, String prefix) implements Weights {
  @Override
  public Weights at(String more) {
    return new PrefixedWeights(all, prefix + more);
  }

  @Override
  public boolean has(String name) {
    return all.has(prefix + name);
  }

  @Override
  public NDArray get(NDManager owner, String name, long... shape) {
    return all.get(owner, prefix + name, shape);
  }

  @Override
  public NDArray get(NDManager owner, Cut cut, String name, long... shape) {
    return all.get(owner, cut, prefix + name, shape);
  }
}
