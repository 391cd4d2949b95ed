package io.xfuser.server;

import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import java.util.Map;

/**
 * Red, green and blue as videos store them: brightness for every pixel and two differences of
 * colours for squares of 2 × 2, of 16 to 235 or 240. Source: ITU-R BT.601 and BT.709.
 *
 * @param red its part of the brightness
 * @param blue that of blue
 * @param matrix FFmpeg's name of these parts
 */
record Yuv(double red, double blue, String matrix) {
  /** Of small videos, and of WebP. */
  static final Yuv BT601 = new Yuv(0.299, 0.114, "smpte170m");

  /** Of large ones. */
  static final Yuv BT709 = new Yuv(0.2126, 0.0722, "bt709");

  /** The one that players take for a size where they do not read what a file says of it. */
  static Yuv of(int width, int height) {
    return height >= 720 || width >= 1280 ? BT709 : BT601;
  }

  /** What a file says of its colours, by FFmpeg's options. */
  Map<String, String> tags() {
    return Map.of(
        "colorspace", matrix,
        "color_primaries", "bt709",
        "color_trc", "bt709",
        "color_range", "tv");
  }

  /** A picture of even sides: its brightness, then the differences of blue and of red. */
  ByteBuffer planes(BufferedImage picture) {
    int width = picture.getWidth();
    int height = picture.getHeight();
    ByteBuffer all = ByteBuffer.allocateDirect(width * height * 3 / 2);
    int[] rows = new int[2 * width];
    for (int y = 0; y < height; y += 2) {
      picture.getRGB(0, y, width, 2, rows, 0, width);
      for (int x = 0; x < width; x += 2) {
        double r = 0;
        double g = 0;
        double b = 0;
        for (int i = 0; i < 4; i++) {
          int column = x + i % 2;
          int pixel = rows[i / 2 * width + column];
          int pr = pixel >> 16 & 255;
          int pg = pixel >> 8 & 255;
          int pb = pixel & 255;
          double bright = brightness(pr, pg, pb);
          all.put((y + i / 2) * width + column, (byte) Math.round(16 + 219 * bright / 255));
          r += pr;
          g += pg;
          b += pb;
        }
        double bright = brightness(r, g, b) / 4;
        int at = width * height + y / 2 * (width / 2) + x / 2;
        all.put(at, difference(b / 4 - bright, blue));
        all.put(at + width * height / 4, difference(r / 4 - bright, red));
      }
    }
    return all;
  }

  private double brightness(double r, double g, double b) {
    return red * r + (1 - red - blue) * g + blue * b;
  }

  private static byte difference(double apart, double part) {
    return (byte) Math.round(128 + 112 * apart / (1 - part) / 255);
  }
}
