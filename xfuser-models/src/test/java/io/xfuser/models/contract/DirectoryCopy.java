package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * A copy of a pipeline's directory, to be spoilt.
 *
 * @param directory the copy
 */
public record DirectoryCopy(Path directory) {
  /** Copies {@code original} to the empty {@code directory}. */
  public static DirectoryCopy of(Path original, Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(original)) {
      for (Path file : files.toList()) {
        Path copy = directory.resolve(original.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(copy);
        } else {
          Files.copy(file, copy);
        }
      }
    }
    return new DirectoryCopy(directory);
  }

  /** Deletes {@code directory} and all in it. */
  static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  /** Replaces {@code from}, which must be there, in {@code file}. */
  public void rewrite(String file, String from, String to) throws IOException {
    Path path = directory.resolve(file);
    String text = Files.readString(path);
    assertThat(text).contains(from);
    Files.writeString(path, text.replace(from, to));
  }
}
