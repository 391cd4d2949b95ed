package io.xfuser.internal.picture;

import io.xfuser.config.Picture;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import org.jspecify.annotations.Nullable;

/** Masks as OpenAI's clients send them: what is transparent is drawn anew. */
public final class ClearMask {
  private static final String NAME = "the mask";
  private static final int OPAQUE = 255;

  private ClearMask() {}

  /**
   * {@code mask} with white for what is transparent and black for the rest; unchanged if nothing is
   * transparent, or if it cannot be read, which whoever reads it then says.
   */
  public static Picture of(Picture mask) {
    byte[] file = mask.read();
    try {
      boolean webp =
          PictureFile.Format.of(file).filter(PictureFile.Format.WEBP::equals).isPresent();
      BufferedImage image = webp ? Webp.read(NAME, file) : read(file);
      return image != null && image.getColorModel().hasAlpha() && clear(image)
          ? Picture.of(image)
          : mask;
    } catch (IOException e) {
      return mask;
    }
  }

  private static @Nullable BufferedImage read(byte[] file) throws IOException {
    try (ImageInputStream stream = ImageIO.createImageInputStream(new ByteArrayInputStream(file))) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(stream);
      if (!readers.hasNext()) {
        return null;
      }
      ImageReader reader = readers.next();
      try {
        reader.setInput(stream);
        PictureFile.requireRoom(NAME, reader.getWidth(0), reader.getHeight(0));
        return reader.read(0);
      } finally {
        reader.dispose();
      }
    }
  }

  /** Whether there was anything transparent, which is white now. */
  private static boolean clear(BufferedImage image) {
    boolean any = false;
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        int through = OPAQUE - (image.getRGB(x, y) >>> 24);
        any |= through > 0;
        image.setRGB(x, y, OPAQUE << 24 | through << 16 | through << 8 | through);
      }
    }
    return any;
  }
}
