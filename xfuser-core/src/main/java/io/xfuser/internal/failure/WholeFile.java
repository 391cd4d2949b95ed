package io.xfuser.internal.failure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Files that are there whole or not at all, also where the disk fills up meanwhile. */
public final class WholeFile {
  private WholeFile() {}

  /** Writes the content of a file. */
  @FunctionalInterface
  public interface Writing {
    /** Writes all of it to {@code file}. */
    void to(Path file) throws IOException;
  }

  /**
   * Writes {@code file}, in a folder that need not exist; an existing file is replaced, a pipe, a
   * device or what a link leads to written to.
   *
   * @throws IOException naming the file and the reason; then nothing is left behind
   */
  public static void write(Path file, Writing content) throws IOException {
    try {
      if (Files.exists(file) && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
        content.to(file);
      } else {
        writeWhole(file, content);
      }
    } catch (IOException e) {
      throw failure(file, part(file), e);
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

  private static void writeWhole(Path file, Writing content) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (folder != null) {
      Files.createDirectories(folder);
    }
    Path part = part(file);
    Files.deleteIfExists(part);
    try {
      content.to(part);
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /** What is written to until {@code file} is whole; its name is the longer one. */
  public static Path part(Path file) {
    return file.resolveSibling("." + file.getFileName() + ".part");
  }
}
