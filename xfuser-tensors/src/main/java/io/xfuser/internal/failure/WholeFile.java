package io.xfuser.internal.failure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;

/** Files that are there whole or not at all, also where the disk fills up meanwhile. */
public final class WholeFile {
  /** Letters that tell apart what is written at one time. */
  private static final int UNIQUE = 8;

  private WholeFile() {}

  /** Writes the content of a file. */
  @FunctionalInterface
  public interface Writing {
    void to(Path file) throws IOException;
  }

  /**
   * Writes {@code file}, in a folder that need not exist; an existing file is replaced, a pipe, a
   * device or what a link leads to written to.
   *
   * @throws IOException naming the file and the reason; then nothing is left behind
   */
  public static void write(Path file, Writing content) throws IOException {
    Path part = part(file);
    try {
      if (Files.exists(file) && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
        content.to(file);
      } else {
        writeWhole(file, part, content);
      }
    } catch (IOException e) {
      throw failure(file, part, e);
    }
  }

  /**
   * That {@code file} cannot be written, and why.
   *
   * @param part what was written to meanwhile, which is gone when somebody reads this
   */
  public static IOException failure(Path file, Path part, IOException cause) {
    String reason = Reason.of(cause);
    String named = part + ": ";
    return new IOException(
        file
            + " cannot be written: "
            + (reason.startsWith(named) ? reason.substring(named.length()) : reason),
        cause);
  }

  private static void writeWhole(Path file, Path part, Writing content) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (folder != null) {
      Files.createDirectories(folder);
    }
    try {
      content.to(part);
      Files.move( // at no moment is there none
          part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /**
   * What is written to until {@code file} is whole, another one each time, for others may write the
   * same file; its name is the longer one.
   */
  public static Path part(Path file) {
    String once = UUID.randomUUID().toString().substring(0, UNIQUE);
    return file.resolveSibling("." + file.getFileName() + "." + once + ".part");
  }
}
