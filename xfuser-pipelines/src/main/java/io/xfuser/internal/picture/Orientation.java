package io.xfuser.internal.picture;

/**
 * How a camera was held, by exif's tag 0x0112: PIL's {@code ImageOps.exif_transpose}.
 *
 * @param swaps whether columns become rows
 * @param mirrors whether columns are then counted from the right
 * @param flips whether rows are then counted from the bottom
 */
record Orientation(boolean swaps, boolean mirrors, boolean flips) {
  private static final int TAG = 0x0112;
  private static final int SHORT = 3;
  private static final int LONG = 4;
  private static final int ENTRY = 12;

  /** What {@code exif} says, with or without its header; upright where it says nothing. */
  static Orientation of(byte[] exif) {
    Blocks bytes = new Blocks(exif);
    int start = bytes.starts(0, "Exif\0\0") ? 6 : 0;
    boolean big = bytes.starts(start, "MM");
    if (!big && !bytes.starts(start, "II")) {
      return of(1);
    }
    long directory = start + bytes.number(start + 4, 4, big);
    if (directory > exif.length) {
      return of(1);
    }
    long entries = bytes.number((int) directory, 2, big);
    for (int i = 0; i < entries; i++) {
      int at = (int) directory + 2 + i * ENTRY;
      if (bytes.number(at, 2, big) == TAG) {
        long type = bytes.number(at + 2, 2, big);
        return of(
            type == SHORT || type == LONG ? bytes.number(at + 8, type == SHORT ? 2 : 4, big) : 1);
      }
    }
    return of(1);
  }

  private static Orientation of(long value) {
    boolean known = value >= 1 && value <= 8;
    return new Orientation(
        known && value >= 5,
        value == 2 || value == 3 || value == 6 || value == 7,
        value == 3 || value == 4 || value == 7 || value == 8);
  }

  Bitmap turned(Bitmap image) {
    if (!swaps && !mirrors && !flips) {
      return image;
    }
    int width = swaps ? image.height() : image.width();
    int height = swaps ? image.width() : image.height();
    Bitmap upright = Bitmap.black(width, height, image.channels());
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int column = mirrors ? width - 1 - x : x;
        int row = flips ? height - 1 - y : y;
        for (int c = 0; c < image.channels(); c++) {
          upright.set(x, y, c, swaps ? image.at(row, column, c) : image.at(column, row, c));
        }
      }
    }
    return upright;
  }
}
