package io.xfuser.internal.picture;

import java.util.Optional;

/**
 * Finds the lossy picture of a WebP file, the first one of an animation. Source: Google's WebP
 * container specification.
 *
 * @param file all bytes
 * @param frame where the picture's frame begins
 * @param end where it ends
 * @param canvas what it lies on
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Webp(byte[] file, int frame, int end, Canvas canvas) {
  private static final int CONTENT = 12; // of a file
  private static final int CHUNK = 8; // name and length of a chunk
  private static final int PROFILE = 0x20; // a flag
  private static final byte[] UNKNOWN = {'N', 'O', 'N', 'E'}; // a chunk that nobody reads
  private static final int PLACE = 16; // and of an animation's frame where it lies

  /**
   * The picture as it is shown.
   *
   * @param left of the frame in it
   * @param top of the frame in it
   * @param width of all, 0 where it is the frame's
   * @param height of all
   */
  record Canvas(int left, int top, int width, int height) {}

  /**
   * The one in {@code file}; nothing if its first picture is not lossy.
   *
   * @throws IllegalArgumentException if a part of the file is missing
   */
  static Optional<Webp> lossy(byte[] file) {
    return find(file, CONTENT, file.length, new Canvas(0, 0, 0, 0));
  }

  private static Optional<Webp> find(byte[] file, int from, int end, Canvas known) {
    Blocks blocks = new Blocks(file);
    Canvas canvas = known;
    long at = from;
    while (at + CHUNK <= end) {
      int start = (int) at + CHUNK;
      long length = blocks.number((int) at + 4, 4, false);
      boolean frame = blocks.starts((int) at, "VP8 ");
      boolean animated = blocks.starts((int) at, "ANMF");
      if (frame || animated) {
        if (start + length > end) {
          throw new IllegalArgumentException("it ends too early");
        }
        int last = (int) (start + length);
        if (frame) {
          return Optional.of(new Webp(file, start, last, canvas));
        }
        int left = 2 * (int) blocks.number(start, 3, false);
        int top = 2 * (int) blocks.number(start + 3, 3, false);
        Canvas whole = new Canvas(left, top, canvas.width(), canvas.height());
        return find(file, start + PLACE, last, whole);
      } else if (blocks.starts((int) at, "VP8L")) {
        return Optional.empty();
      } else if (blocks.starts((int) at, "VP8X")) {
        canvas =
            new Canvas(
                0,
                0,
                1 + (int) blocks.number(start + 4, 3, false),
                1 + (int) blocks.number(start + 7, 3, false));
      }
      at += CHUNK + length + (length & 1);
    }
    return Optional.empty();
  }

  /** {@code file} without a colour profile, by which libraries would change its colours. */
  static byte[] plain(byte[] file) {
    Blocks blocks = new Blocks(file);
    byte[] plain = file;
    long at = CONTENT;
    while (at + CHUNK < file.length) {
      int start = (int) at + CHUNK;
      if (blocks.starts((int) at, "VP8X")) {
        plain = file.clone();
        plain[start] = (byte) (plain[start] & ~PROFILE);
      } else if (blocks.starts((int) at, "ICCP")) {
        System.arraycopy(UNKNOWN, 0, plain, (int) at, UNKNOWN.length);
      }
      long length = blocks.number((int) at + 4, 4, false);
      at += CHUNK + length + (length & 1);
    }
    return plain;
  }

  int width() {
    return canvas.width() > 0 ? canvas.width() : Vp8Frame.size(file, frame, end)[0];
  }

  int height() {
    return canvas.height() > 0 ? canvas.height() : Vp8Frame.size(file, frame, end)[1];
  }

  /** The picture, black beside the frame, as in PIL. */
  Bitmap read() {
    Bitmap part = Vp8Frame.read(file, frame, end);
    if (part.width() == width() && part.height() == height()) {
      return part;
    }
    int stride = 3 * width();
    if (canvas.left() + part.width() > width() || canvas.top() + part.height() > height()) {
      throw new IllegalArgumentException(
          "a frame lies beyond its %d × %d pixels".formatted(height(), width()));
    }
    byte[] values = new byte[stride * height()];
    for (int y = 0; y < part.height(); y++) {
      System.arraycopy(
          part.values(),
          3 * part.width() * y,
          values,
          stride * (canvas.top() + y) + 3 * canvas.left(),
          3 * part.width());
    }
    return new Bitmap(width(), height(), 3, values);
  }
}
