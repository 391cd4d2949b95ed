package io.xfuser.internal.picture;

import java.util.Arrays;

/**
 * One of luma and the two chromas of a picture of whole macroblocks, with what prediction takes for
 * the pixels above it (127) and to its left (129). Source: RFC 6386, section 12.
 */
final class Vp8Plane {
  private static final int ABOVE = 127;
  private static final int LEFT = 129;
  private static final int MARGIN = 4; // what a block looks at on its right

  private final byte[] pixels;
  private final int stride;

  /** A plane of so many columns and rows. */
  Vp8Plane(int width, int height) {
    this.stride = 1 + width + MARGIN;
    this.pixels = new byte[stride * (1 + height)];
    Arrays.fill(pixels, 0, stride, (byte) ABOVE);
    for (int y = 0; y < height; y++) {
      pixels[at(-1, y)] = (byte) LEFT;
    }
  }

  /** Where a pixel is in {@link #pixels}, from -1. */
  int at(int x, int y) {
    return (y + 1) * stride + x + 1;
  }

  byte[] pixels() {
    return pixels;
  }

  /** Pixels from one row to the next. */
  int stride() {
    return stride;
  }

  int get(int x, int y) {
    return pixels[at(x, y)] & 0xFF;
  }

  void set(int x, int y, int value) {
    pixels[at(x, y)] = (byte) value;
  }

  static int clip(int value) {
    return Math.max(0, Math.min(255, value));
  }
}
