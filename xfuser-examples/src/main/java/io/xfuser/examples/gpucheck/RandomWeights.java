package io.xfuser.examples.gpucheck;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.weights.Cut;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.stream.LongStream;

/**
 * Weights of whatever shape a model asks for, drawn where they are to be; the same for the same
 * name. Matrices keep the size of what they multiply, norms begin as they do before training, so
 * that hidden states stay finite through all blocks.
 *
 * @param device where they are drawn
 * @param type their element type
 * @param prefix put before every name
 */
record RandomWeights(Device device, ElementType type, String prefix) implements Weights {
  private static final Program PROGRAM = Program.load(RandomWeights.class, "random.py");
  private static final Object GENERATOR = new Object();
  private static final double BIAS = 0.02;

  @Override
  public Weights at(String more) {
    return new RandomWeights(device, type, prefix + more);
  }

  @Override
  public boolean has(String name) {
    return true;
  }

  @Override
  public NDArray get(NDManager owner, String name, long... shape) {
    boolean matrix = shape.length > 1;
    double inputs = LongStream.of(shape).skip(1).reduce(1, (a, b) -> a * b);
    double mean = !matrix && name.endsWith(".weight") ? 1 : 0;
    double deviation = matrix ? 1 / Math.sqrt(inputs) : BIAS;
    return normal(owner, name, shape, mean, deviation);
  }

  @Override
  public NDArray get(NDManager owner, Cut cut, String name, long... shape) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray part = Torch.slice(scope, get(scope, name, shape), cut.dim(), cut.from(), cut.to());
      return Torch.copy(owner, part);
    }
  }

  private NDArray normal(
      NDManager owner, String name, long[] shape, double mean, double deviation) {
    long seed = (prefix + name).hashCode();
    return device.isGpu()
        ? onDevice(owner, shape, seed, mean, deviation)
        : PROGRAM.call(owner, "normal", shape, type.scalarType(), seed, mean, deviation);
  }

  /** The same by the generator that the whole process has of the device, hence one at a time. */
  NDArray onDevice(NDManager owner, long[] shape, long seed, double mean, double deviation) {
    synchronized (GENERATOR) {
      return PROGRAM.call(
          owner, "normal_on", shape, type.scalarType(), Torch.name(device), seed, mean, deviation);
    }
  }

  /** A mask (shape) of ones on the CPU, in int64. */
  static NDArray ones(NDManager owner, long... shape) {
    return PROGRAM.call(owner, "ones", shape, ElementType.INT64.scalarType(), "cpu");
  }

  /** Standard normal text embeddings on the CPU, in fp32. */
  static NDArray text(NDManager owner, String name, long... shape) {
    return new RandomWeights(Device.cpu(), ElementType.FLOAT32, "text.")
        .normal(owner, name, shape, 0, 1);
  }
}
