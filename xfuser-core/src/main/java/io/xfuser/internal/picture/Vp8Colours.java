package io.xfuser.internal.picture;

/**
 * Red, green and blue of luma and chromas of half their size, which are widened between neighbours
 * as libwebp does it ({@code upsampling.c}, {@code yuv.h}).
 *
 * @param luma of all pixels
 * @param blue chroma
 * @param red chroma
 */
record Vp8Colours(Vp8Plane luma, Vp8Plane blue, Vp8Plane red) {
  /** The picture. */
  Bitmap bitmap(int width, int height) {
    byte[] values = new byte[3 * width * height];
    int columns = (width + 1) / 2;
    int rows = (height + 1) / 2;
    int at = 0;
    for (int y = 0; y < height; y++) {
      int near = y / 2;
      int far = Math.max(0, Math.min(rows - 1, near + ((y & 1) == 0 ? -1 : 1)));
      for (int x = 0; x < width; x++) {
        int u = widened(blue, x, near, far, columns);
        int v = widened(red, x, near, far, columns);
        int y1 = (19077 * luma.get(x, y)) >> 8;
        values[at++] = colour(y1 + ((26149 * v) >> 8) - 14234);
        values[at++] = colour(y1 - ((6419 * u) >> 8) - ((13320 * v) >> 8) + 8708);
        values[at++] = colour(y1 + ((33050 * u) >> 8) - 17685);
      }
    }
    return new Bitmap(width, height, 3, values);
  }

  /** 9, 3, 3 and 1 sixteenths of the nearest four, rounded as libwebp rounds halves of sums. */
  private static int widened(Vp8Plane plane, int x, int near, int far, int columns) {
    int own = x / 2;
    int side = own + ((x & 1) == 0 ? -1 : 1);
    int a = plane.get(own, near);
    int c = plane.get(own, far);
    if (side < 0 || side >= columns) {
      return (3 * a + c + 2) >> 2;
    }
    int b = plane.get(side, near);
    int d = plane.get(side, far);
    return (((a + b + c + d + 8 + 2 * (b + c)) >> 3) + a) >> 1;
  }

  private static byte colour(int value) {
    return (byte) Vp8Plane.clip(value >> 6);
  }
}
