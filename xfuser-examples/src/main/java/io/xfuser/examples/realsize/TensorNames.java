package io.xfuser.examples.realsize;

import java.util.ArrayList;
import java.util.List;

/** Collects the tensors of a component by their published names. */
final class TensorNames {
  private final List<RandomTensor> all = new ArrayList<>();

  /** What was collected. */
  List<RandomTensor> list() {
    return List.copyOf(all);
  }

  /** A matrix or kernel that keeps the size of what it multiplies, {@code factor} times. */
  TensorNames matrix(String name, double factor, long... shape) {
    all.add(RandomTensor.matrix(name + ".weight", shape).times(factor));
    return this;
  }

  /** A matrix or kernel (O, I, …) and its bias (O). */
  TensorNames linear(String name, long... shape) {
    return matrix(name, 1, shape).small(name + ".bias", shape[0]);
  }

  /** The weight of a norm without bias. */
  TensorNames scale(String name, long width) {
    all.add(RandomTensor.norm(name, width));
    return this;
  }

  /** Weight and bias of a norm. */
  TensorNames norm(String name, long width) {
    return scale(name + ".weight", width).small(name + ".bias", width);
  }

  /** Something small that is added: a bias, a table. */
  TensorNames small(String name, long... shape) {
    all.add(RandomTensor.bias(name, shape));
    return this;
  }

  /** A table of rows of which each is looked up by its number. */
  TensorNames table(String name, double deviation, long... shape) {
    all.add(new RandomTensor(name, shape, 0, deviation));
    return this;
  }
}
