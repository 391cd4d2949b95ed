package io.xfuser.models.internal.scheduler;

/**
 * The float32 arithmetic of diffusers' tables, rounded to the nearest number on every machine.
 * libtorch's vector kernels (square roots and logarithms of MKL, exponentials of Sleef) are within
 * one unit in the last place of these, but which neighbour they choose depends on the processor.
 */
final class Float32 {
  private Float32() {}

  static float sin(float x) {
    return (float) Math.sin(x);
  }

  static float cos(float x) {
    return (float) Math.cos(x);
  }

  static float sqrt(float x) {
    return (float) Math.sqrt(x); // exact in double, so rounded once
  }

  static float exp(float x) {
    return (float) StrictMath.exp(x);
  }

  static float expm1(float x) {
    return (float) StrictMath.expm1(x);
  }

  static float log(float x) {
    return (float) StrictMath.log(x);
  }

  /**
   * {@code torch.linspace}: {@code count} numbers from {@code first} to {@code last}, by one fused
   * step from the nearer end as libtorch's kernels for AVX2 and AVX-512 have it.
   */
  static float[] linear(float first, float last, int count) {
    float[] numbers = new float[count];
    float step = (last - first) / (count - 1);
    for (int i = 0; i < count; i++) {
      numbers[i] =
          i < count / 2 ? Math.fma(step, i, first) : Math.fma(-step, (float) (count - 1 - i), last);
    }
    if (count == 1) {
      numbers[0] = first;
    }
    return numbers;
  }

  /** {@code torch.cumprod}, which multiplies in float64. */
  static float[] products(float[] factors) {
    float[] products = new float[factors.length];
    double product = 1;
    for (int i = 0; i < factors.length; i++) {
      product *= factors[i];
      products[i] = (float) product;
    }
    return products;
  }

  /** {@code numbers} rounded to float32. */
  static float[] of(double... numbers) {
    float[] rounded = new float[numbers.length];
    for (int i = 0; i < numbers.length; i++) {
      rounded[i] = (float) numbers[i];
    }
    return rounded;
  }
}
