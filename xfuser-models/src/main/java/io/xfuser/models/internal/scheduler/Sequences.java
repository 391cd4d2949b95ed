package io.xfuser.models.internal.scheduler;

/**
 * Sequences of numbers rounded exactly as numpy rounds them: a timestep is often the whole number
 * next to one of them.
 */
final class Sequences {
  private Sequences() {}

  /** {@code numpy.linspace}: {@code count} numbers from {@code first} to {@code last}. */
  static double[] linear(double first, double last, int count) {
    double[] numbers = new double[count];
    double step = (last - first) / (count - 1);
    for (int i = 0; i < count; i++) {
      numbers[i] = i == 0 ? first : i * step + first;
    }
    if (count > 1) {
      numbers[count - 1] = last;
    }
    return numbers;
  }

  /** {@code numpy.arange(first, 0, -first_step)}, its first {@code count} numbers. */
  static double[] descending(double first, double step, int count) {
    double rounded = (first - step) - first;
    double[] numbers = new double[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = first + i * rounded;
    }
    return numbers;
  }

  /** {@code numpy.interp} of a table with the positions 0, 1, 2, …. */
  static double interpolate(float[] table, double position) {
    if (position <= 0) {
      return table[0];
    }
    if (position >= table.length - 1) {
      return table[table.length - 1];
    }
    int below = (int) position;
    double slope = (double) table[below + 1] - table[below];
    return slope * (position - below) + table[below];
  }

  /** The same numbers from last to first. */
  static double[] reversed(double... numbers) {
    double[] reversed = new double[numbers.length];
    for (int i = 0; i < numbers.length; i++) {
      reversed[i] = numbers[numbers.length - 1 - i];
    }
    return reversed;
  }

  /** Each number rounded to float32, followed by {@code last}. */
  static float[] toFloats(double[] numbers, float last) {
    float[] floats = new float[numbers.length + 1];
    for (int i = 0; i < numbers.length; i++) {
      floats[i] = (float) numbers[i];
    }
    floats[numbers.length] = last;
    return floats;
  }
}
