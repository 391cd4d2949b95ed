package io.xfuser.cli.quality;

/**
 * The structural similarity of two planes of values from 0 to 1. Source: Wang et al., "Image
 * quality assessment: from error visibility to structural similarity", 2004: a Gaussian window of
 * 11×11 with σ = 1.5, variances divided by the number of pixels, K = 0.01 and 0.03, the mean over
 * all windows that lie within the picture.
 */
final class Ssim {
  /** The window's width and height. */
  static final int WINDOW = 11;

  private static final double SIGMA = 1.5;
  private static final double C1 = 0.01 * 0.01;
  private static final double C2 = 0.03 * 0.03;
  private static final double[] WEIGHTS = weights();

  private final int width;
  private final int height;

  /** For planes of one size, row by row; at least {@link #WINDOW} each way. */
  Ssim(int width, int height) {
    this.width = width;
    this.height = height;
  }

  private static double[] weights() {
    double[] weights = new double[WINDOW];
    double sum = 0;
    for (int i = 0; i < WINDOW; i++) {
      double distance = i - WINDOW / 2;
      weights[i] = Math.exp(-distance * distance / (2 * SIGMA * SIGMA));
      sum += weights[i];
    }
    for (int i = 0; i < WINDOW; i++) {
      weights[i] /= sum;
    }
    return weights;
  }

  /** The mean over all windows, 1 for equal planes. */
  double of(double[] x, double[] y) {
    double[] meanX = blurred(x);
    double[] meanY = blurred(y);
    double[] squareX = blurred(product(x, x));
    double[] squareY = blurred(product(y, y));
    double[] both = blurred(product(x, y));
    double sum = 0;
    for (int i = 0; i < meanX.length; i++) {
      double means = meanX[i] * meanY[i];
      double squares = meanX[i] * meanX[i] + meanY[i] * meanY[i];
      double covariance = both[i] - means;
      double variances = squareX[i] + squareY[i] - squares;
      sum += (2 * means + C1) * (2 * covariance + C2) / ((squares + C1) * (variances + C2));
    }
    return sum / meanX.length;
  }

  private static double[] product(double[] x, double[] y) {
    double[] product = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      product[i] = x[i] * y[i];
    }
    return product;
  }

  /** The weighted mean of each window: (width − 10) × (height − 10) values. */
  private double[] blurred(double[] plane) {
    int columns = width - WINDOW + 1;
    int rows = height - WINDOW + 1;
    double[] along = new double[columns * height];
    for (int row = 0; row < height; row++) {
      for (int column = 0; column < columns; column++) {
        along[row * columns + column] = weighted(plane, row * width + column, 1);
      }
    }
    double[] mean = new double[columns * rows];
    for (int i = 0; i < mean.length; i++) {
      mean[i] = weighted(along, i, columns);
    }
    return mean;
  }

  private static double weighted(double[] values, int from, int stride) {
    double sum = 0;
    for (int i = 0; i < WINDOW; i++) {
      sum += WEIGHTS[i] * values[from + i * stride];
    }
    return sum;
  }
}
