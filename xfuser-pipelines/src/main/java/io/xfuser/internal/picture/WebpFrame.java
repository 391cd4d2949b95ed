package io.xfuser.internal.picture;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Optional;

/**
 * The first frame of an animated WebP file, which libwebp reads only as a file of its own. Source:
 * Google's WebP container specification.
 *
 * @param file with the frame alone
 * @param left of the frame in the picture that is shown
 * @param top of the frame in it
 * @param width of all that is shown
 * @param height of all
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record WebpFrame(byte[] file, int left, int top, int width, int height) {
  private static final int CANVAS = 10; // bytes that say what is shown
  private static final int ANIMATED = 2; // a flag
  private static final int SIZE = 6; // of a frame stands there
  private static final int FRAME = 16; // and there its chunks begin
  private static final int START = 8; // of a file, of which its length does not tell
  private static final byte[] HEADER = {
    'R', 'I', 'F', 'F', 0, 0, 0, 0, 'W', 'E', 'B', 'P', 'V', 'P', '8', 'X', 10, 0, 0, 0, 0x10, 0, 0,
    0
  }; // of one with alpha, perhaps

  /**
   * The one of {@code file}; nothing if that is no animation.
   *
   * @throws IOException if the frame is not whole
   */
  static Optional<WebpFrame> of(byte[] file) throws IOException {
    Blocks blocks = new Blocks(file);
    byte[] canvas = blocks.ofRiff("VP8X");
    if (canvas.length < CANVAS || (canvas[0] & ANIMATED) == 0) {
      return Optional.empty();
    }
    byte[] frame = blocks.ofRiff("ANMF");
    if (frame.length < FRAME) {
      throw new IOException("its first frame is not whole");
    }
    Blocks whole = new Blocks(canvas);
    Blocks part = new Blocks(frame);
    return Optional.of(
        new WebpFrame(
            alone(frame),
            2 * (int) part.number(0, 3, false),
            2 * (int) part.number(3, 3, false),
            1 + (int) whole.number(4, 3, false),
            1 + (int) whole.number(7, 3, false)));
  }

  private static byte[] alone(byte[] frame) {
    ByteArrayOutputStream alone = new ByteArrayOutputStream();
    alone.writeBytes(HEADER);
    alone.write(frame, SIZE, 6);
    alone.write(frame, FRAME, frame.length - FRAME);
    byte[] file = alone.toByteArray();
    for (int i = 0; i < 4; i++) {
      file[4 + i] = (byte) ((file.length - START) >> (8 * i));
    }
    return file;
  }

  /**
   * The picture that is shown, black and transparent beside the frame, as in PIL.
   *
   * @throws IOException if the frame lies beyond it
   */
  BufferedImage shown(BufferedImage frame) throws IOException {
    if (left + frame.getWidth() > width || top + frame.getHeight() > height) {
      throw new IOException("a frame lies beyond its %d × %d pixels".formatted(height, width));
    }
    BufferedImage shown = new BufferedImage(width, height, BufferedImage.TYPE_INT_ARGB);
    int[] row = new int[frame.getWidth()];
    for (int y = 0; y < frame.getHeight(); y++) {
      frame.getRGB(0, y, row.length, 1, row, 0, row.length);
      shown.setRGB(left, top + y, row.length, 1, row, 0, row.length);
    }
    return shown;
  }
}
