package io.xfuser.internal.picture;

import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;

/**
 * JPEG files: their segments, and those of four inks as PIL reads them, always inverted, as Adobe's
 * programs write them.
 */
final class Jpeg {
  /** Colours of a picture for printers: cyan, magenta, yellow, black. */
  static final int INKS = 4;

  private static final int JFIF = 0xE0;
  private static final int ADOBE = 0xEE;
  private static final int LAST_ADDED = 0xEF;
  private static final int TRANSFORM = 6; // bytes after "Adobe"

  private Jpeg() {}

  /** How many colours a file has, by its frame's header. */
  static int colours(byte[] file) {
    Blocks blocks = new Blocks(file);
    for (int marker = 0xC0; marker <= 0xC2; marker++) { // baseline, extended, progressive
      byte[] frame = blocks.ofJpeg(marker, "");
      if (frame.length > 5) {
        return frame[5];
      }
    }
    return 0;
  }

  /**
   * The file without what programs add: colour profiles and exif data, by which Java's reader would
   * choose other colours, or refuse a picture.
   */
  static byte[] plain(byte[] file) {
    ByteArrayOutputStream plain = new ByteArrayOutputStream(file.length);
    Blocks blocks = new Blocks(file);
    plain.write(file, 0, 2);
    int at = 2;
    while (at + 4 <= file.length && (file[at] & 0xFF) == 0xFF) {
      int marker = file[at + 1] & 0xFF;
      int length = 2 + (int) blocks.number(at + 2, 2, true);
      if (marker == 0xFF || marker == 0xDA || at + length > file.length) {
        break; // the rest as it is
      }
      if (marker <= JFIF || marker > LAST_ADDED || marker == ADOBE) {
        plain.write(file, at, length);
      }
      at += length;
    }
    plain.write(file, at, file.length - at);
    return plain.toByteArray();
  }

  /** Of a raster of four bands as they are in the file. */
  static Bitmap ofInks(Raster raster, byte[] file) {
    byte[] adobe = new Blocks(file).ofJpeg(ADOBE, "Adobe");
    boolean brightness = adobe.length > TRANSFORM && adobe[TRANSFORM] == 2; // YCCK
    return Bitmap.of(raster, INKS, (samples, first) -> printed(samples, first, brightness));
  }

  private static int printed(int[] samples, int first, boolean brightness) {
    int[] inks = {samples[first], samples[first + 1], samples[first + 2]};
    if (brightness) {
      inks = inks(inks[0], inks[1] - 128, inks[2] - 128);
    }
    int white = samples[first + 3]; // stored inverted, as the others
    int rgb = 0;
    for (int ink : inks) {
      int product = (255 - ink) * white + 128;
      rgb = rgb << 8 | clip(white - ((product + (product >> 8)) >> 8));
    }
    return rgb;
  }

  /** Inks of brightness and two differences: the inverse of what JFIF's equations give. */
  private static int[] inks(int y, int blue, int red) {
    return new int[] {
      255 - clip(y + fixed(1.402 * red)),
      255 - clip(y + fixed(-0.344136286 * blue - 0.714136286 * red)),
      255 - clip(y + fixed(1.772 * blue))
    };
  }

  private static int fixed(double value) {
    return (int) Math.floor(value + 0.5);
  }

  private static int clip(int value) {
    return Math.max(0, Math.min(255, value));
  }
}
