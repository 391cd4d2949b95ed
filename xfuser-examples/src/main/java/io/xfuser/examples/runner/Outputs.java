package io.xfuser.examples.runner;

import ai.djl.modality.cv.Image;
import io.xfuser.pipeline.Generation;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Where the results go; checked before anything is computed. */
final class Outputs {
  private final Path directory;
  private final @Nullable Path report;
  private final PrintStream out;

  /**
   * Results go to {@code directory}, which need not exist.
   *
   * @param report the file for the report, null for none
   * @param out told of each file
   * @throws IllegalArgumentException if something else is in the way of either
   */
  Outputs(Path directory, @Nullable Path report, PrintStream out) {
    this.directory = directory;
    this.report = report;
    this.out = out;
    requireDirectory("--output_directory", directory);
    if (report != null) {
      if (Files.isDirectory(report)) {
        throw new IllegalArgumentException("--report " + report + " is a directory, not a file");
      }
      requireDirectory("--report", report.toAbsolutePath().getParent());
    }
  }

  /** Writes what this process has of {@code generation}; the first rank writes the report. */
  void write(Generation generation, boolean first) throws IOException {
    for (Path file : generation.save(directory)) {
      out.println("wrote " + file);
    }
    for (Map.Entry<String, List<Image>> video : generation.videos().entrySet()) {
      Path file = directory.resolve(video.getKey() + ".mp4");
      VideoFile.write(file, video.getValue());
      out.println("wrote " + file);
    }
    if (report != null && first) {
      Path folder = report.toAbsolutePath().getParent();
      if (folder != null) {
        Files.createDirectories(folder);
      }
      Files.writeString(report, generation.report().toJson() + "\n");
      out.println("wrote " + report);
    }
  }

  /** The nearest thing that exists at or above {@code place} must be a directory to write in. */
  private static void requireDirectory(String flag, @Nullable Path place) {
    Path existing = place == null ? null : place.toAbsolutePath();
    while (existing != null && !Files.exists(existing)) {
      existing = existing.getParent();
    }
    if (existing != null && !(Files.isDirectory(existing) && Files.isWritable(existing))) {
      String reason = Files.isDirectory(existing) ? "cannot be written to" : "is not a directory";
      throw new IllegalArgumentException(flag + ": " + existing + " " + reason);
    }
  }
}
