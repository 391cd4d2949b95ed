package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.SoftReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Supplier;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;

/**
 * A picture that a request works on: PNG, JPEG or WebP, as a file or as the bytes of one. It is
 * read when the request is planned; what is given must be the same until then.
 */
public final class Picture {
  /** No file of a picture is larger; more would be no picture for a model. */
  private static final long LARGEST_FILE = 1L << 30;

  private final @Nullable Path file;
  private final byte[] bytes;
  private volatile @Nullable SoftReference<Object> seen;

  private Picture(@Nullable Path file, byte[] bytes) {
    this.file = file;
    this.bytes = bytes;
  }

  /** A file. */
  public static Picture of(Path file) {
    return new Picture(Given.required(file, "picture"), new byte[0]);
  }

  /** What is in a file; a copy is kept. */
  public static Picture of(byte[] encoded) {
    return new Picture(null, Given.required(encoded, "picture").clone());
  }

  /** Pixels in the colours that {@link BufferedImage#getRGB} has; a copy is kept, without alpha. */
  public static Picture of(BufferedImage image) {
    int width = Given.required(image, "picture").getWidth();
    int height = image.getHeight();
    BufferedImage plain = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < height; y++) {
      plain.setRGB(0, y, width, 1, image.getRGB(0, y, width, 1, null, 0, width), 0, width);
    }
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    try {
      ImageIO.write(plain, "png", png);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // nothing is written to a file
    }
    return new Picture(null, png.toByteArray());
  }

  /**
   * The bytes of the file.
   *
   * @throws ArgumentException if it cannot be read, or has more than 1 GiB
   */
  public byte[] read() {
    if (file == null) {
      return bytes.clone();
    }
    if (Files.exists(file) && !Files.isRegularFile(file)) { // a pipe would be waited for
      throw new ArgumentException("the picture " + file + " is no file");
    }
    try {
      if (Files.size(file) > LARGEST_FILE) {
        throw new ArgumentException(
            "the picture %s has %d bytes, more than %d"
                .formatted(file, Files.size(file), LARGEST_FILE));
      }
      return Files.readAllBytes(file);
    } catch (IOException e) {
      String reason = Files.exists(file) ? "cannot be read: " + e.getMessage() : "does not exist";
      throw new ArgumentException("the picture " + file + " " + reason);
    }
  }

  /**
   * What {@code reader} makes of its bytes. It is kept while there is memory for it, unless the
   * bytes are those of a file, which may change.
   */
  public <T> T seen(Class<T> kind, Supplier<T> reader) {
    SoftReference<Object> kept = seen;
    Object before = kept == null ? null : kept.get();
    if (kind.isInstance(before)) {
      return kind.cast(before);
    }
    T now = reader.get();
    if (file == null) {
      seen = new SoftReference<>(now);
    }
    return now;
  }

  /** The name of its file without its folders, or how many bytes were given. */
  public String name() {
    return file == null ? toString() : String.valueOf(file.getFileName());
  }

  /** Its file, or how many bytes were given. */
  @Override
  public String toString() {
    return file == null ? "a picture of " + bytes.length + " bytes" : file.toString();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Picture picture
        && (file == null ? picture.file == null : file.equals(picture.file))
        && Arrays.equals(bytes, picture.bytes);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(bytes) + (file == null ? 0 : file.hashCode());
  }
}
