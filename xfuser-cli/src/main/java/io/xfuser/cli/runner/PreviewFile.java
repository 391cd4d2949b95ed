package io.xfuser.cli.runner;

import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.PlatformException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.internal.failure.WholeFile;
import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import io.xfuser.server.Recorded;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;

/**
 * A file that shows the latents as they are now: each time another picture takes the place of the
 * one before. Of a video it has the frame in the middle, or, where its kind plays, all of them;
 * several pictures are side by side. What keeps it from being written is said once, and ends
 * nothing.
 */
final class PreviewFile implements ProgressListener {
  private static final Map<String, Recorded.Format> PLAYING =
      Map.of("webp", Recorded.Format.WEBP, "gif", Recorded.Format.GIF);
  private static final List<String> STILL = List.of("png", "jpg", "jpeg");

  private final Path file;
  private final String kind;
  private final PrintStream err;
  private boolean failed;

  /**
   * Writes nothing yet.
   *
   * @param err told what goes wrong
   * @throws ArgumentException if {@code file} is something else already, or of no known kind
   */
  PreviewFile(Path file, PrintStream err) {
    String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    this.file = file;
    this.kind = name.substring(name.lastIndexOf('.') + 1);
    this.err = err;
    if (name.lastIndexOf('.') < 0 || !(STILL.contains(kind) || PLAYING.containsKey(kind))) {
      throw new ArgumentException("--preview " + file + " must end with .png, .jpg, .webp or .gif");
    }
    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)
        && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      throw new ArgumentException("--preview " + file + " is there and no plain file");
    }
  }

  @Override
  public boolean progressed(Progress progress) {
    if (progress instanceof Progress.Preview preview) {
      try {
        write(preview);
      } catch (IOException | PlatformException e) {
        if (!failed) {
          err.println("the picture is drawn without its preview: " + Reason.of(e));
        }
        failed = true;
      }
    }
    return true;
  }

  private void write(Progress.Preview preview) throws IOException {
    Recorded.Format format = PLAYING.get(kind);
    if (format != null) {
      List<BufferedImage> frames =
          IntStream.range(0, preview.frames()).mapToObj(i -> sideBySide(preview, i)).toList();
      double perSecond = Math.min(preview.perSecond(), format.mostPerSecond());
      Recorded.write(file, format, new Recorded.Video(frames, perSecond, Map.of()));
      return;
    }
    BufferedImage picture = sideBySide(preview, preview.frames() / 2);
    WholeFile.write(
        file,
        part -> {
          if (!ImageIO.write(picture, kind, part.toFile())) {
            throw new IOException("no writer for " + kind);
          }
        });
  }

  /** Frame {@code number} of all pictures or videos, in rows of about as many as there are rows. */
  private static BufferedImage sideBySide(Progress.Preview preview, int number) {
    List<BufferedImage> all = new ArrayList<>();
    for (int i = number; i < preview.pictures().size(); i += preview.frames()) {
      all.add(preview.pictures().get(i));
    }
    int columns = (int) Math.ceil(Math.sqrt(all.size()));
    int rows = (all.size() + columns - 1) / columns;
    int width = all.get(0).getWidth();
    int height = all.get(0).getHeight();
    BufferedImage whole =
        new BufferedImage(columns * width, rows * height, BufferedImage.TYPE_INT_RGB);
    Graphics2D canvas = whole.createGraphics();
    for (int i = 0; i < all.size(); i++) {
      canvas.drawImage(all.get(i), i % columns * width, i / columns * height, null);
    }
    canvas.dispose();
    return whole;
  }
}
