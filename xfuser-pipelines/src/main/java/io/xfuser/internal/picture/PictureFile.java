package io.xfuser.internal.picture;

import io.xfuser.config.Picture;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.failure.Reason;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads pictures as diffusers' {@code load_image} does: turned as their exif data say, then PIL's
 * {@code convert("RGB")}: 8 bits, no alpha, no colour profile.
 */
public final class PictureFile {
  /** As PIL: a picture of more pixels is a file that was made to fill memory. */
  private static final long MOST_PIXELS = 89_478_485;

  /** Bytes that reading takes for a pixel: what the library has, at most 16 bits of 4, and ours. */
  private static final int PIXEL = 12;

  private static final Logger LOG = LoggerFactory.getLogger(PictureFile.class);

  private PictureFile() {}

  /**
   * A picture of three channels.
   *
   * @param setting what it is given as, for messages
   * @throws ArgumentException naming the file, if it is none, larger than memory, or broken
   */
  public static Bitmap read(String setting, Picture picture) {
    return picture.seen(Bitmap.class, () -> decoded(setting, picture));
  }

  private static Bitmap decoded(String setting, Picture picture) {
    byte[] file = picture.read();
    String name = setting + " " + picture;
    Format format =
        Format.of(file)
            .orElseThrow(() -> new ArgumentException(name + " is neither PNG, JPEG nor WebP"));
    try {
      return Orientation.of(format.exif(file)).turned(read(name, format, file));
    } catch (IOException | RuntimeException e) {
      if (e instanceof ArgumentException said) {
        throw said;
      }
      throw new ArgumentException(
          "%s cannot be read as %s: %s".formatted(name, format.word(), Reason.of(e)));
    }
  }

  private static Bitmap read(String name, Format format, byte[] file) throws IOException {
    if (format == Format.WEBP) {
      return colours(name, Webp.read(name, file));
    }
    ImageReader reader =
        next(
            name,
            format,
            ImageIO.getImageReadersByFormatName(format.name().toLowerCase(Locale.ROOT)));
    try (FileStream stream = new FileStream(format == Format.JPEG ? Jpeg.plain(file) : file)) {
      reader.setInput(stream, false, true); // what is told besides is not looked at
      List<String> warnings = new ArrayList<>();
      reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
      requireRoom(name, reader.getWidth(0), reader.getHeight(0));
      Bitmap bitmap =
          format == Format.JPEG && Jpeg.colours(file) == Jpeg.INKS
              ? Jpeg.ofInks(reader.readRaster(0, null), file)
              : colours(name, reader.read(0));
      requireWhole(warnings);
      return bitmap;
    } finally {
      reader.dispose();
    }
  }

  /** The first of {@code readers}, if there is any. */
  static ImageReader next(String name, Format format, Iterator<ImageReader> readers) {
    if (!readers.hasNext()) {
      throw new ArgumentException(
          "%s is %s, which no library on the class path reads".formatted(name, format.word()));
    }
    return readers.next();
  }

  /** A file that ends too early is a broken one, though libraries draw the rest of it gray. */
  private static void requireWhole(List<String> warnings) {
    for (String warning : warnings) {
      if (warning.contains("remature end") || warning.contains("truncated")) {
        throw new IllegalArgumentException(warning);
      }
    }
  }

  /**
   * Refuses a picture before memory is taken for its pixels.
   *
   * @param name of the picture, for the message
   * @throws ArgumentException with the numbers
   */
  public static void requireRoom(String name, long width, long height) {
    Runtime java = Runtime.getRuntime();
    long free = java.maxMemory() - java.totalMemory() + java.freeMemory();
    long most = Math.min(MOST_PIXELS, free / PIXEL);
    if (width < 1 || height < 1 || height > most / width) {
      throw new ArgumentException(
          "%s has %d × %d pixels (high × wide), but must have 1 to %d%s"
              .formatted(
                  name,
                  height,
                  width,
                  most,
                  most < MOST_PIXELS ? ", for which Java has memory" : ""));
    }
  }

  private static Bitmap colours(String name, BufferedImage image) {
    Raster raster = image.getRaster();
    int bands = raster.getNumBands();
    int bits = raster.getSampleModel().getSampleSize(0);
    boolean clips = bits > 8 && bands == 1;
    if (clips) {
      LOG.warn("{} has 16 bits of gray, of which those over 255 are white, as in PIL", name);
    }
    int shift = clips ? -1 : Math.max(0, bits - 8);
    return Bitmap.of(
        raster,
        bands,
        image.getColorModel() instanceof IndexColorModel palette
            ? (samples, first) -> palette.getRGB(samples[first])
            : (samples, first) -> colour(samples, first, bands, shift));
  }

  /** The first 8 bits of gray or of three colours; or gray as a whole number, at most 255. */
  private static int colour(int[] values, int first, int bands, int shift) {
    if (bands < 3) {
      int gray = shift < 0 ? Math.min(255, values[first]) : values[first] >> shift;
      return gray << 16 | gray << 8 | gray;
    }
    return values[first] >> shift << 16
        | values[first + 1] >> shift << 8
        | values[first + 2] >> shift;
  }

  /** What a file is, by its first bytes. */
  enum Format {
    PNG,
    JPEG,
    WEBP;

    private static final byte[] PNG_SIGNATURE = {
      (byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'
    };

    static Optional<Format> of(byte[] file) {
      Blocks bytes = new Blocks(file);
      if (Arrays.mismatch(file, PNG_SIGNATURE) >= PNG_SIGNATURE.length) {
        return Optional.of(PNG);
      } else if (bytes.starts(0, "\u00FF\u00D8\u00FF")) {
        return Optional.of(JPEG);
      }
      return bytes.starts(0, "RIFF") && bytes.starts(8, "WEBP")
          ? Optional.of(WEBP)
          : Optional.empty();
    }

    /** The name that people have for it. */
    String word() {
      return this == WEBP ? "WebP" : name();
    }

    /** The exif data of a file, empty if it has none. */
    byte[] exif(byte[] file) {
      Blocks blocks = new Blocks(file);
      return switch (this) {
        case PNG -> blocks.ofPng("eXIf");
        case JPEG -> blocks.ofJpeg(0xE1, "Exif\0\0");
        case WEBP -> blocks.ofRiff("EXIF");
      };
    }
  }
}
