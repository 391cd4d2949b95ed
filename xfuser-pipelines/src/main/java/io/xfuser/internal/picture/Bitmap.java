package io.xfuser.internal.picture;

import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Rows of pixels with 8 bits for each channel, from the top. Immutable: nobody writes to {@code
 * values} once they are handed over.
 *
 * @param width pixels of a row
 * @param height rows
 * @param channels 3 of a picture (red, green, blue), 1 of a mask, 4 with alpha
 * @param values of each pixel's channels, {@code width · height · channels} of them
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Bitmap(int width, int height, int channels, byte[] values) {
  public static Bitmap black(int width, int height, int channels) {
    return new Bitmap(width, height, channels, new byte[width * height * channels]);
  }

  /** One of three channels, each pixel's of its {@code samples} in {@code raster}. */
  static Bitmap of(Raster raster, int samples, Colour colour) {
    Bitmap bitmap = black(raster.getWidth(), raster.getHeight(), 3);
    int[] row = new int[samples * bitmap.width];
    for (int y = 0; y < bitmap.height; y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, bitmap.width, 1, row);
      for (int x = 0; x < bitmap.width; x++) {
        int rgb = colour.of(row, x * samples);
        bitmap.set(x, y, 0, rgb >> 16);
        bitmap.set(x, y, 1, rgb >> 8);
        bitmap.set(x, y, 2, rgb);
      }
    }
    return bitmap;
  }

  /** What a pixel's samples look like. */
  @FunctionalInterface
  interface Colour {
    /** Red, green and blue, 8 bits each from the highest on, of the samples from {@code first}. */
    int of(int[] samples, int first);
  }

  /** The colours that {@link BufferedImage#getRGB} has, without alpha. */
  public static Bitmap of(BufferedImage image) {
    Bitmap bitmap = black(image.getWidth(), image.getHeight(), 3);
    int[] row = new int[bitmap.width];
    for (int y = 0; y < bitmap.height; y++) {
      image.getRGB(0, y, bitmap.width, 1, row, 0, bitmap.width);
      for (int x = 0; x < bitmap.width; x++) {
        bitmap.set(x, y, 0, row[x] >> 16);
        bitmap.set(x, y, 1, row[x] >> 8);
        bitmap.set(x, y, 2, row[x]);
      }
    }
    return bitmap;
  }

  /** The same picture of three channels for Java's libraries. */
  public BufferedImage toImage() {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, at(x, y, 0) << 16 | at(x, y, 1) << 8 | at(x, y, 2));
      }
    }
    return image;
  }

  /** 0 to 255. */
  public int at(int x, int y, int channel) {
    return values[(y * width + x) * channels + channel] & 0xFF;
  }

  /** Sets a value of what is being made. */
  void set(int x, int y, int channel, int value) {
    values[(y * width + x) * channels + channel] = (byte) value;
  }

  /** The brightness of pixels with three channels, as PIL's {@code convert("L")} has it. */
  public Bitmap gray() {
    Bitmap gray = black(width, height, 1);
    for (int i = 0; i < width * height; i++) {
      int red = values[3 * i] & 0xFF;
      int green = values[3 * i + 1] & 0xFF;
      int blue = values[3 * i + 2] & 0xFF;
      gray.values[i] = (byte) ((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16);
    }
    return gray;
  }

  /** A part of it; what lies outside is black. */
  public Bitmap crop(Box box) {
    Bitmap part = black(box.width(), box.height(), channels);
    paste(this, part, -box.left(), -box.top());
    return part;
  }

  /** Puts {@code from} onto {@code onto}, its corner at x, y; what lies outside is left out. */
  static void paste(Bitmap from, Bitmap onto, int x, int y) {
    int left = Math.max(0, x);
    int right = Math.min(onto.width, x + from.width);
    for (int row = Math.max(0, y); row < Math.min(onto.height, y + from.height); row++) {
      if (left < right) {
        System.arraycopy(
            from.values,
            ((row - y) * from.width + left - x) * from.channels,
            onto.values,
            (row * onto.width + left) * onto.channels,
            (right - left) * onto.channels);
      }
    }
  }

  /**
   * A rectangle of pixels.
   *
   * @param right one past its last column
   * @param bottom one past its last row
   */
  public record Box(int left, int top, int right, int bottom) {
    public int width() {
      return right - left;
    }

    public int height() {
      return bottom - top;
    }
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Bitmap bitmap
        && width == bitmap.width
        && height == bitmap.height
        && channels == bitmap.channels
        && Arrays.equals(values, bitmap.values);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(values);
  }

  @Override
  public String toString() {
    return width + " × " + height + " × " + channels;
  }
}
