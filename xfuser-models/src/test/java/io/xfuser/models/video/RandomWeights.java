package io.xfuser.models.video;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.models.internal.weights.Cut;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.Torch;
import java.util.Random;

/** Tensors of any name, always the same for one name, that keep the size of what they multiply. */
public final class RandomWeights implements Weights {
  @Override
  public boolean has(String name) {
    return true;
  }

  @Override
  public NDArray get(NDManager owner, String name, long... shape) {
    Random random = new Random(name.hashCode());
    double deviation = 1 / Math.sqrt(shape.length == 1 ? 16.0 : (double) shape[1]);
    float[] values = new float[Math.toIntExact(new Shape(shape).size())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() * deviation);
    }
    try (NDManager scope = owner.newSubManager()) {
      return Torch.copy(owner, scope.create(values, new Shape(shape))); // else Java's memory
    }
  }

  @Override
  public NDArray get(NDManager owner, Cut cut, String name, long... shape) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray whole = get(scope, name, shape);
      return Torch.copy(owner, Torch.slice(scope, whole, cut.dim(), cut.from(), cut.to()));
    }
  }
}
