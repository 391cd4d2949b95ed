package io.xfuser.cli.runner;

import ai.djl.modality.cv.Image;
import io.xfuser.cli.flags.XFuserArgs;
import io.xfuser.cli.trace.TracePicture;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.internal.failure.WholeFile;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.OutputFiles;
import io.xfuser.progress.ProgressListener;
import io.xfuser.server.Recorded;
import java.awt.image.BufferedImage;
import java.awt.image.RenderedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;

/** Where the results go; checked before anything is computed. */
final class Outputs {
  private final Path directory;
  private final @Nullable Double fps;
  private final Recorded.Format format;
  private final @Nullable PreviewFile preview;
  private final @Nullable Path report;
  private final @Nullable Path trace;
  private final @Nullable Path tracePicture;
  private final PrintStream out;

  /**
   * Results go where {@code args} says; folders need not exist.
   *
   * @param out told of each file
   * @param err told of a preview that cannot be written
   * @throws ArgumentException if something else is in the way, or videos would play too fast for
   *     their files
   */
  Outputs(XFuserArgs args, PrintStream out, PrintStream err) {
    this.directory = args.outputDirectory();
    this.fps = args.fps();
    this.format = Recorded.Format.valueOf(args.videoFormat().toUpperCase(Locale.ROOT));
    this.preview = args.preview() == null ? null : new PreviewFile(args.preview(), err);
    this.report = args.report();
    this.trace = args.trace();
    this.tracePicture = args.tracePicture();
    this.out = out;
    requireSpeed();
    requireSvg(tracePicture);
    requireDirectory("--output_directory", directory);
    Map<Path, String> flags = new HashMap<>();
    requireFile("--preview", args.preview(), flags);
    requireFile("--report", report, flags);
    requireFile("--trace", trace, flags);
    requireFile("--trace_picture", tracePicture, flags);
  }

  /** {@code listener}, beside what writes the preview if one was asked for. */
  ProgressListener previewed(ProgressListener listener) {
    PreviewFile file = preview;
    return file == null
        ? listener
        : progress -> file.progressed(progress) && listener.progressed(progress);
  }

  /** Whether a trace is to be written. */
  boolean traced() {
    return trace != null || tracePicture != null;
  }

  /**
   * These outputs with the number of a request's first picture, whose name begins with {@code
   * prefix}. Asked before the request, it is the same in all processes of the request, for none has
   * written any of it.
   */
  Numbered numbered(String prefix) throws IOException {
    return new Numbered(this, OutputFiles.next(directory, prefix));
  }

  /**
   * Outputs of one request.
   *
   * @param outputs where they go
   * @param first number of the first picture
   */
  record Numbered(Outputs outputs, int first) {
    /** Whether a trace is to be written. */
    boolean traced() {
      return outputs.traced();
    }

    /**
     * Writes what this process has of {@code generation}: the pictures first, which took longest,
     * so that no other file's failure or size loses them; told last, so that a command's last line
     * names them.
     *
     * @param all report and trace too, which one rank writes
     */
    void write(Generation generation, boolean all) throws IOException {
      List<Path> pictures = generation.save(outputs.directory, first);
      try {
        if (all) {
          outputs.writeReport(() -> generation.report().toJson());
          outputs.writeTrace(generation);
        }
      } finally {
        outputs.saved(generation, pictures);
      }
    }
  }

  /** Writes the pictures, and videos also as files that play; returns the pictures' files. */
  List<Path> save(Generation generation) throws IOException {
    return saved(generation, generation.save(directory));
  }

  private List<Path> saved(Generation generation, List<Path> files) throws IOException {
    files.forEach(file -> out.println("wrote " + file));
    int done = 0;
    for (Map.Entry<String, List<Image>> video : generation.videos().entrySet()) {
      int number = Integer.parseInt(video.getKey().replaceFirst(".*_", ""));
      List<BufferedImage> frames =
          video.getValue().stream().map(frame -> (BufferedImage) frame.getWrappedImage()).toList();
      save(
          new Recorded.Video(frames, perSecond(generation), generation.provenance(number)),
          playing(files.get(done), ""));
      done += frames.size();
    }
    return files;
  }

  /** Frames of {@code generation}'s videos that are shown in a second. */
  double perSecond(Generation generation) {
    return fps == null ? generation.framesPerSecond() : fps;
  }

  /** The file that plays beside a video's first frame, {@code suffix} at the end of its name. */
  Path playing(Path firstFrame, String suffix) {
    String name = String.valueOf(firstFrame.getFileName());
    return firstFrame.resolveSibling(
        name.replaceFirst("_\\d+\\.png$", suffix + "." + format.extension()));
  }

  /** Writes {@code video} as a file that plays. */
  void save(Recorded.Video video, Path file) throws IOException {
    Recorded.write(file, format, video);
    out.println("wrote " + file);
  }

  /** Writes {@code picture} as PNG. */
  void save(RenderedImage picture, Path file) throws IOException {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    ImageIO.write(picture, "png", png);
    WholeFile.write(file, part -> Files.write(part, png.toByteArray()));
    out.println("wrote " + file);
  }

  /** Writes the report if one was asked for. */
  void writeReport(Supplier<String> json) throws IOException {
    write(report, json);
  }

  /** Writes the trace in the forms that were asked for. */
  void writeTrace(Generation generation) throws IOException {
    write(trace, () -> generation.trace().toJson());
    write(tracePicture, () -> TracePicture.svg(generation.trace()));
  }

  private void write(@Nullable Path file, Supplier<String> text) throws IOException {
    if (file == null) {
      return;
    }
    String content = text.get().strip() + "\n";
    WholeFile.write(file, part -> Files.writeString(part, content));
    out.println("wrote " + file);
  }

  private void requireSpeed() {
    if (fps != null && fps > format.mostPerSecond()) {
      throw new ArgumentException(
          "--video_format %s shows at most %.0f frames in a second, but --fps is %s"
              .formatted(format.extension(), format.mostPerSecond(), fps));
    }
  }

  private static void requireFile(String flag, @Nullable Path file, Map<Path, String> flags) {
    if (file == null) {
      return;
    }
    if (Files.isDirectory(file)) {
      throw new ArgumentException(flag + " " + file + " is a directory, not a file");
    }
    if (!Files.exists(file) || Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      requireDirectory(flag, file.toAbsolutePath().getParent());
      requireNames(flag, file, WholeFile.part(file));
      String other = flags.put(file.toAbsolutePath().normalize(), flag);
      if (other != null) {
        throw new ArgumentException("%s and %s are one file, %s".formatted(other, flag, file));
      }
    } else if (!Files.isWritable(file)) { // a pipe, a device or what a link leads to
      throw new ArgumentException(flag + ": " + file + " cannot be written to");
    }
  }

  private static void requireSvg(@Nullable Path file) {
    if (file != null && file.toString().matches("(?i).*\\.(png|jpe?g|gif|webp|bmp|pdf|json)")) {
      throw new ArgumentException("--trace_picture " + file + " must end with .svg, as it is SVG");
    }
  }

  /**
   * The nearest thing that exists at or above {@code place} must be a directory to write in. A file
   * is tried, for permissions do not tell of file systems that take none, such as /proc.
   */
  private static void requireDirectory(String flag, @Nullable Path place) {
    Path existing = existing(place);
    if (place == null || existing == null) {
      return;
    }
    if (!Files.isDirectory(existing)) {
      throw new ArgumentException(flag + ": " + existing + " is not a directory");
    }
    try {
      Files.delete(Files.createTempFile(existing, ".xfuser", ".part"));
    } catch (IOException e) {
      throw new ArgumentException(flag + ": " + existing + " cannot be written to: " + cause(e), e);
    }
    requireNames(flag, place, place);
  }

  private static @Nullable Path existing(@Nullable Path place) {
    Path existing = place == null ? null : place.toAbsolutePath();
    while (existing != null && !Files.exists(existing)) {
      existing = existing.getParent();
    }
    return existing;
  }

  /** That what is written for {@code place} can be: no name is too long. */
  private static void requireNames(String flag, Path place, Path written) {
    Path existing = existing(written);
    if (existing == null) {
      return;
    }
    for (Path missing : existing.relativize(written.toAbsolutePath())) {
      try {
        Files.readAttributes(existing.resolve(missing), BasicFileAttributes.class);
      } catch (IOException e) {
        if (!(e instanceof NoSuchFileException)) { // else all is well
          throw new ArgumentException(flag + ": " + place + ": " + cause(e), e);
        }
      }
    }
  }

  /** Without the name of what was tried, which nobody knows. */
  private static String cause(IOException e) {
    String reason = Reason.of(e);
    return reason.substring(reason.lastIndexOf(": ") < 0 ? 0 : reason.lastIndexOf(": ") + 2);
  }
}
