package io.xfuser.internal.picture;

import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.failure.Reason;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Optional;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.spi.ImageReaderSpi;

/**
 * Google's libwebp as a reader of Java's ImageIO. It loads a native library, which it unpacks into
 * a folder of temporary files; what keeps it from that is said in one sentence.
 */
final class Webp {
  private static final String VENDOR = "Luciad";

  /** The library's own property; else the folder is Java's. */
  private static final String FOLDER = "com.luciad.imageio.webp.tmpdir";

  private Webp() {}

  /**
   * The picture of a file, the first one of an animation.
   *
   * @param name of the file, for messages
   * @throws ArgumentException if it is larger than memory, or the library is not there
   * @throws IOException if the file is broken
   */
  static BufferedImage read(String name, byte[] file) throws IOException {
    Optional<WebpFrame> animated = WebpFrame.of(file);
    if (animated.isPresent()) {
      PictureFile.requireRoom(name, animated.get().width(), animated.get().height());
    }
    ImageReader reader = reader(name);
    try (FileStream stream = new FileStream(animated.map(WebpFrame::file).orElse(file))) {
      reader.setInput(stream, false, true);
      PictureFile.requireRoom(name, reader.getWidth(0), reader.getHeight(0));
      BufferedImage image = reader.read(0);
      return animated.isPresent() ? animated.get().shown(image) : image;
    } catch (OutOfMemoryError e) {
      if (e.getMessage() != null) {
        throw e; // Java's; the library has no words for those that it throws
      }
      throw new IOException("libwebp has too little memory, or its alpha is broken", e);
    } catch (LinkageError e) {
      throw new ArgumentException(
          "%s is WebP, whose library does not run on %s with %s"
              .formatted(name, System.getProperty("os.name"), System.getProperty("os.arch")),
          e);
    } finally {
      reader.dispose();
    }
  }

  /** The library's, before one that an application has besides. */
  private static ImageReader reader(String name) {
    Iterator<ImageReader> all = ImageIO.getImageReadersByFormatName("webp");
    ImageReader reader = PictureFile.next(name, PictureFile.Format.WEBP, all);
    while (all.hasNext() && !isOurs(reader)) {
      reader = all.next();
    }
    if (isOurs(reader)) {
      requireFolder(name);
    }
    return reader;
  }

  private static boolean isOurs(ImageReader reader) {
    ImageReaderSpi provider = reader.getOriginatingProvider();
    return provider != null && VENDOR.equals(provider.getVendorName());
  }

  /** The library writes what it meets there with its stack trace, and goes on without a native. */
  private static void requireFolder(String name) {
    Path folder = Path.of(System.getProperty(FOLDER, System.getProperty("java.io.tmpdir")));
    try {
      Path file = Files.createTempFile(folder, "xfuser", ".so");
      try {
        if (!file.toFile().setExecutable(true) || !Files.isExecutable(file)) {
          throw new IOException("nothing there may be executed");
        }
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new ArgumentException(
          "%s is WebP, whose library cannot be unpacked into %s (-D%s names another folder): %s"
              .formatted(name, folder, FOLDER, Reason.of(e)),
          e);
    }
  }
}
