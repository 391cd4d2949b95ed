package io.xfuser.pipeline;

import io.xfuser.config.EngineConfig;
import io.xfuser.internal.failure.WholeFile;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Files with a number in their name, none of which takes the place of another. */
public final class OutputFiles {
  private static final Pattern NUMBER =
      Pattern.compile("_(\\d{1,9})(_\\d{4,})?\\.(png|safetensors|mp4|webp|gif)");

  private OutputFiles() {}

  /** What the names of a pipeline's files begin with: model and degrees. */
  public static String prefix(DiffusionPipeline pipeline, EngineConfig engine) {
    return pipeline.name() + "_" + engine.parallel().label();
  }

  /**
   * The number after the highest of pictures, videos and tensors in {@code directory}; 0 if there
   * are none, or no such directory.
   *
   * @param prefix what their names begin with
   */
  public static int next(Path directory, String prefix) throws IOException {
    if (!Files.isDirectory(directory)) {
      return 0;
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(file -> String.valueOf(file.getFileName()))
          .filter(name -> name.startsWith(prefix))
          .map(name -> NUMBER.matcher(name.substring(prefix.length())))
          .filter(Matcher::matches)
          .mapToInt(name -> Integer.parseInt(name.group(1)) + 1)
          .max()
          .orElse(0);
    }
  }

  /** Writes a file's content. */
  @FunctionalInterface
  interface Content {
    void write(Path file) throws IOException;
  }

  /**
   * Writes {@code file}, which is there whole or not at all.
   *
   * @return false if there is such a file already, which stays as it is
   * @throws IOException naming the file and the reason
   */
  static boolean writeNew(Path file, Content content) throws IOException {
    if (Files.exists(file)) {
      return false;
    }
    Path part = file.resolveSibling("." + file.getFileName() + "." + UUID.randomUUID() + ".part");
    try {
      content.write(part);
      publish(part, file);
      return true;
    } catch (FileAlreadyExistsException e) {
      return false; // another process was quicker
    } catch (IOException e) {
      throw WholeFile.failure(file, part, e);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /** Unlike a move, a link never replaces what came there in the meantime. */
  private static void publish(Path part, Path file) throws IOException {
    try {
      Files.createLink(file, part);
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (UnsupportedOperationException | IOException e) {
      Files.move(part, file); // a file system without links
    }
  }
}
