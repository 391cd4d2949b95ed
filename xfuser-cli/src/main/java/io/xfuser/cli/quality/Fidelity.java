package io.xfuser.cli.quality;

import io.xfuser.failure.ArgumentException;
import java.awt.image.BufferedImage;

/**
 * How near a picture is to a reference. Values are those of 8-bit red, green and blue, divided by
 * 255.
 *
 * @param psnr the peak signal-to-noise ratio over all values in dB; infinite for equal pictures
 * @param ssim the structural similarity, the mean of the three channels; 1 for equal pictures
 * @param largestDifference of any value, 0 to 1
 */
public record Fidelity(double psnr, double ssim, double largestDifference) {
  private static final int CHANNELS = 3;
  private static final double LARGEST = 255;

  /**
   * Compares.
   *
   * @throws ArgumentException if the sizes differ, or are smaller than the 11 pixels of SSIM's
   *     window
   */
  public static Fidelity of(BufferedImage reference, BufferedImage picture) {
    int width = reference.getWidth();
    int height = reference.getHeight();
    if (picture.getWidth() != width || picture.getHeight() != height) {
      throw new ArgumentException(
          "a picture of %d×%d pixels cannot be compared with one of %d×%d"
              .formatted(picture.getWidth(), picture.getHeight(), width, height));
    }
    if (Math.min(width, height) < Ssim.WINDOW) {
      throw new ArgumentException(
          "a picture of %d×%d pixels is smaller than the window of SSIM, %d×%d"
              .formatted(width, height, Ssim.WINDOW, Ssim.WINDOW));
    }
    Ssim ssim = new Ssim(width, height);
    double similarity = 0;
    double squares = 0;
    double largest = 0;
    for (int channel = 0; channel < CHANNELS; channel++) {
      double[] expected = plane(reference, channel);
      double[] found = plane(picture, channel);
      similarity += ssim.of(expected, found) / CHANNELS;
      for (int i = 0; i < expected.length; i++) {
        double difference = Math.abs(expected[i] - found[i]);
        squares += difference * difference;
        largest = Math.max(largest, difference);
      }
    }
    double error = squares / ((double) CHANNELS * width * height);
    return new Fidelity(10 * Math.log10(1 / error), similarity, largest);
  }

  /** One channel, row by row; 0 is red. */
  private static double[] plane(BufferedImage picture, int channel) {
    int width = picture.getWidth();
    int[] colors = picture.getRGB(0, 0, width, picture.getHeight(), null, 0, width);
    double[] plane = new double[colors.length];
    for (int i = 0; i < colors.length; i++) {
      plane[i] = (colors[i] >> (8 * (CHANNELS - 1 - channel)) & 0xff) / LARGEST;
    }
    return plane;
  }
}
