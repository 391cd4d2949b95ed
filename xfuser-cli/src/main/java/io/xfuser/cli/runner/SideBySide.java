package io.xfuser.cli.runner;

import java.awt.image.BufferedImage;

/**
 * Two pictures of one size and their difference.
 *
 * @param reference on the left
 * @param picture in the middle
 */
record SideBySide(BufferedImage reference, BufferedImage picture) {
  private static final int WHITE = 255;
  private static final int MOST_AMPLIFIED = 64;

  /**
   * The power of two that makes a difference as bright as it can be without clipping.
   *
   * @param largest the largest difference of any value, 0 to 1
   * @return 1 to 64
   */
  static int amplification(double largest) {
    int factor = 1;
    while (factor < MOST_AMPLIFIED && 2 * factor * largest <= 1) {
      factor *= 2;
    }
    return factor;
  }

  /** Both, and on the right the absolute difference, {@code factor} times as bright. */
  BufferedImage draw(int factor) {
    int width = reference.getWidth();
    int height = reference.getHeight();
    BufferedImage all = new BufferedImage(3 * width, height, BufferedImage.TYPE_INT_RGB);
    int[] left = colors(reference);
    int[] middle = colors(picture);
    int[] right = new int[left.length];
    for (int i = 0; i < right.length; i++) {
      for (int shift = 0; shift < 24; shift += 8) {
        int difference = Math.abs((left[i] >> shift & WHITE) - (middle[i] >> shift & WHITE));
        right[i] |= Math.min(WHITE, factor * difference) << shift;
      }
    }
    all.setRGB(0, 0, width, height, left, 0, width);
    all.setRGB(width, 0, width, height, middle, 0, width);
    all.setRGB(2 * width, 0, width, height, right, 0, width);
    return all;
  }

  private static int[] colors(BufferedImage image) {
    return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
  }
}
