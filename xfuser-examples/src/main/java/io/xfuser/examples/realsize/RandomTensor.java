package io.xfuser.examples.realsize;

import java.util.stream.LongStream;

/**
 * A tensor of random values.
 *
 * @param name in its file
 * @param shape its sizes
 * @param mean of its values
 * @param deviation of its values, which are evenly distributed
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record RandomTensor(String name, long[] shape, double mean, double deviation) {
  private static final double BIAS = 0.02;

  /** A matrix or kernel (O, I, …) that keeps the size of what it multiplies. */
  static RandomTensor matrix(String name, long... shape) {
    long inputs = LongStream.of(shape).skip(1).reduce(1, (a, b) -> a * b);
    return new RandomTensor(name, shape, 0, 1 / Math.sqrt((double) inputs));
  }

  /** The weight of a norm, as before training. */
  static RandomTensor norm(String name, long width) {
    return new RandomTensor(name, new long[] {width}, 1, BIAS);
  }

  /** Something small that is added. */
  static RandomTensor bias(String name, long... shape) {
    return new RandomTensor(name, shape, 0, BIAS);
  }

  RandomTensor times(double factor) {
    return new RandomTensor(name, shape, mean, deviation * factor);
  }

  long elements() {
    return LongStream.of(shape).reduce(1, (a, b) -> a * b);
  }
}
