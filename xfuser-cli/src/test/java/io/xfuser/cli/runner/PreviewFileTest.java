package io.xfuser.cli.runner;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ArgumentException;
import io.xfuser.progress.Progress;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PreviewFileTest {
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @TempDir Path directory;

  private PreviewFile to(Path file) {
    return new PreviewFile(file, new PrintStream(err, true, UTF_8));
  }

  /** Videos of so many frames, each brighter than the one before. */
  private static Progress.Preview shown(int videos, int frames) {
    List<BufferedImage> pictures =
        IntStream.range(0, videos * frames).mapToObj(PreviewFileTest::gray).toList();
    return new Progress.Preview(1, 2, pictures, frames, 5);
  }

  private static BufferedImage gray(int number) {
    BufferedImage picture = new BufferedImage(6, 4, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 24; i++) {
      picture.setRGB(i % 6, i / 6, new Color(number, number, number).getRGB());
    }
    return picture;
  }

  @Test
  void severalPicturesAreInRowsAndTakeThePlaceOfThoseBefore() throws IOException {
    Path file = directory.resolve("missing/now.png");
    PreviewFile preview = to(file);
    preview.progressed(shown(1, 1));
    assertThat(ImageIO.read(file.toFile()).getWidth()).isEqualTo(6);
    preview.progressed(shown(3, 1));
    BufferedImage whole = ImageIO.read(file.toFile());
    assertThat(List.of(whole.getWidth(), whole.getHeight())).containsExactly(12, 8);
    assertThat(whole.getRGB(7, 1) & 255).isEqualTo(1);
    assertThat(whole.getRGB(1, 5) & 255).isEqualTo(2);
    try (Stream<Path> files = Files.list(file.getParent())) {
      assertThat(files).containsExactly(file); // nothing half-written is left
    }
    assertThat(err.size()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"now.png", "NOW.PNG", "now.jpg", "now.jpeg"})
  void aStillOneShowsTheMiddleOfAVideo(String name) throws IOException {
    to(directory.resolve(name)).progressed(shown(1, 5));
    assertThat(ImageIO.read(directory.resolve(name).toFile()).getRGB(3, 2) & 255).isEqualTo(2);
  }

  @Test
  void onesThatPlayHaveAllFrames() throws IOException {
    Path gif = directory.resolve("now.gif");
    to(gif).progressed(shown(2, 5));
    ImageReader reader = ImageIO.getImageReadersByFormatName("gif").next();
    reader.setInput(ImageIO.createImageInputStream(gif.toFile()));
    assertThat(reader.getNumImages(true)).isEqualTo(5);
    assertThat(reader.read(3).getWidth()).isEqualTo(12);
    Path webp = directory.resolve("now.webp");
    to(webp).progressed(shown(1, 5));
    assertThat(Files.size(webp)).isPositive();
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void whatKeepsItFromBeingWrittenIsSaidOnceAndEndsNothing() throws IOException {
    Path folder = Files.createDirectory(directory.resolve("folder"));
    PreviewFile preview = to(folder.resolve("now.png"));
    Files.delete(folder);
    Files.createFile(folder); // now a file is in the way
    assertThat(preview.progressed(shown(1, 1))).isTrue();
    assertThat(preview.progressed(shown(1, 1))).isTrue();
    assertThat(err.toString(UTF_8).lines())
        .singleElement()
        .asString()
        .startsWith("the picture is drawn without its preview: " + folder.resolve("now.png"));
    Files.delete(folder);
    preview.progressed(shown(1, 1)); // and once it can be, it is
    assertThat(folder.resolve("now.png")).exists();
  }

  @Test
  void whatIsThereAndNoPlainFileIsRefused() throws IOException {
    Path folder = Files.createDirectory(directory.resolve("now.png"));
    assertThatThrownBy(() -> to(folder))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("--preview " + folder + " is there and no plain file");
  }
}
