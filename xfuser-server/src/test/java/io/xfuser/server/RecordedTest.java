package io.xfuser.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import org.bytedeco.ffmpeg.global.avutil;
import org.bytedeco.javacv.FFmpegFrameGrabber;
import org.bytedeco.javacv.Frame;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RecordedTest {
  private static final Map<String, String> MADE =
      Map.of("parameters", "ein Fuchs, läuft\nSteps: 20", "xfuser", "{\"seed\":42}");

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({
    "5, 48, 40, 48, 40",
    "16, 64, 128, 64, 128",
    "1, 48, 40, 48, 40",
    "3, 33, 25, 34, 26"
  })
  void framesCanBeReadBackInTheirSizeAndOrder(
      int count, int width, int height, int storedWidth, int storedHeight) throws IOException {
    Path file = directory.resolve("video.mp4");
    List<BufferedImage> frames = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      frames.add(picture(width, height, gray(i)));
    }
    Recorded.write(file, Recorded.Format.MP4, new Recorded.Video(frames, 23.976, MADE));

    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).containsExactly(file);
    }
    try (FFmpegFrameGrabber grabber = new FFmpegFrameGrabber(file.toFile())) {
      grabber.start();
      assertThat(grabber.getFrameRate()).isCloseTo(23.976, within(1e-3));
      int read = 0;
      for (Frame frame = grabber.grabImage(); frame != null; frame = grabber.grabImage()) {
        assertThat(frame.imageWidth).isEqualTo(storedWidth);
        assertThat(frame.imageHeight).isEqualTo(storedHeight);
        Color corner = color(frame, storedWidth - 2, storedHeight - 2);
        assertThat(corner.getGreen()).isCloseTo(gray(read).getGreen(), within(5));
        read++;
      }
      assertThat(read).isEqualTo(count);
      assertThat(grabber.getMetadata("comment")).isEqualTo(MADE.get("parameters"));
      assertThat(grabber.getMetadata("description")).isEqualTo(MADE.get("xfuser"));
    }
  }

  /**
   * Read from the buffer, as the grabber takes the padded rows of narrow frames for four channels.
   */
  private static Color color(Frame frame, int x, int y) {
    ByteBuffer bytes = (ByteBuffer) frame.image[0];
    int at = y * frame.imageStride + x * 3; // blue, green, red
    return new Color(bytes.get(at + 2) & 0xff, bytes.get(at + 1) & 0xff, bytes.get(at) & 0xff);
  }

  /** Small videos have BT.601's matrix, large ones BT.709's, and say so: ITU-T H.273's numbers. */
  @ParameterizedTest
  @CsvSource({"64, 64, 6", "1280, 16, 1", "16, 720, 1"})
  void coloursAreStoredAsTheFileSays(int width, int height, int matrix) throws IOException {
    Path file = directory.resolve("video.mp4");
    List<BufferedImage> frames = List.of(picture(width, height, new Color(200, 40, 90)));
    Recorded.write(file, Recorded.Format.MP4, new Recorded.Video(frames, 8, MADE));
    assertThat(tags(file)).containsExactly(1, 1, matrix);
    try (FFmpegFrameGrabber grabber = new FFmpegFrameGrabber(file.toFile())) {
      grabber.setPixelFormat(avutil.AV_PIX_FMT_YUV420P);
      grabber.start();
      Frame frame = grabber.grabImage();
      ByteBuffer planes = (ByteBuffer) frame.image[0];
      Yuv stored = matrix == 6 ? Yuv.BT601 : Yuv.BT709;
      double bright =
          stored.red() * 200 + (1 - stored.red() - stored.blue()) * 40 + stored.blue() * 90;
      assertThat((planes.get(0) & 0xff) - 16).isCloseTo((int) (219 * bright / 255), within(2));
    }
  }

  /** Primaries, transfer and matrix of the container's colr box. */
  private static List<Integer> tags(Path file) throws IOException {
    String content = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    int at = content.indexOf("colrnclx") + 8;
    assertThat(at).isGreaterThan(8);
    return List.of(0, 2, 4).stream().map(i -> (int) content.charAt(at + i + 1)).toList();
  }

  @Test
  void aMovingWebpHasAllFrames() throws IOException {
    List<BufferedImage> frames = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      frames.add(picture(33, 25, gray(i)));
    }
    byte[] file = Recorded.bytes(Recorded.Format.WEBP, new Recorded.Video(frames, 10, MADE));
    String content = new String(file, StandardCharsets.ISO_8859_1);
    assertThat(content).startsWith("RIFF").contains("WEBPVP8X").contains("ANIM");
    assertThat(content.split("ANMF", -1)).hasSize(6);
    int at = content.indexOf("ANMF") + 8 + 12; // the first frame's duration in milliseconds
    assertThat(content.charAt(at) + 256 * content.charAt(at + 1)).isEqualTo(100);
  }

  /** GIF counts hundredths of a second: what a frame is shown too long the next one is less. */
  @ParameterizedTest
  @CsvSource({"16, 6, 7, 6", "8, 13, 12, 13", "24, 4, 4, 5", "50, 2, 2, 2", "0.5, 200, 200, 200"})
  void aMovingGifHasAllFramesForSoLong(double perSecond, int one, int two, int three)
      throws IOException {
    List<BufferedImage> frames = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      frames.add(gradient(33, 25, i));
    }
    byte[] file = Recorded.bytes(Recorded.Format.GIF, new Recorded.Video(frames, perSecond, MADE));
    String content = new String(file, StandardCharsets.ISO_8859_1);
    assertThat(content).startsWith("GIF89a").contains("NETSCAPE2.0\u0003\u0001\u0000\u0000\u0000");
    List<Integer> delays = new ArrayList<>();
    String control = "!\u00f9\u0004"; // flags, then hundredths of a second
    for (int at = content.indexOf(control); at >= 0; at = content.indexOf(control, at + 1)) {
      delays.add(content.charAt(at + 4) + 256 * content.charAt(at + 5));
    }
    assertThat(delays).containsExactly(one, two, three);
    ImageReader reader = ImageIO.getImageReadersByFormatName("gif").next();
    reader.setInput(ImageIO.createImageInputStream(new ByteArrayInputStream(file)));
    assertThat(reader.getNumImages(true)).isEqualTo(3);
    for (int i = 0; i < 3; i++) {
      assertThat(away(reader.read(i), frames.get(i))).isLessThan(4);
    }
  }

  /** A picture of many colours, another one for each number. */
  private static BufferedImage gradient(int width, int height, int number) {
    BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        picture.setRGB(x, y, new Color(x * 7, y * 10, 40 + 60 * number).getRGB());
      }
    }
    return picture;
  }

  /** Mean distance of the colours of 5 × 5 squares, of 255: what dithering keeps. */
  private static double away(BufferedImage a, BufferedImage b) {
    double sum = 0;
    int squares = 0;
    for (int y = 0; y + 5 <= a.getHeight(); y += 5) {
      for (int x = 0; x + 5 <= a.getWidth(); x += 5) {
        for (int shift = 0; shift < 24; shift += 8) {
          double difference = 0;
          for (int i = 0; i < 25; i++) {
            difference += a.getRGB(x + i % 5, y + i / 5) >> shift & 255;
            difference -= b.getRGB(x + i % 5, y + i / 5) >> shift & 255;
          }
          sum += Math.abs(difference) / 25;
          squares++;
        }
      }
    }
    return sum / squares;
  }

  @Test
  void webpIsReadBackAlmostAsItWas() throws IOException {
    BufferedImage picture = picture(33, 25, new Color(200, 40, 90));
    byte[] file = Recorded.webp(picture, 90);
    assertThat(new String(file, 8, 4, StandardCharsets.US_ASCII)).isEqualTo("WEBP");
    BufferedImage read = ImageIO.read(new ByteArrayInputStream(file));
    assertThat(List.of(read.getWidth(), read.getHeight())).containsExactly(33, 25);
    assertThat(new Color(read.getRGB(16, 12)).getRed()).isCloseTo(200, within(15));
    assertThat(file).hasSizeGreaterThan(Recorded.webp(picture, 1).length - 1);
  }

  /** Steps that are larger than what the encoder loses. */
  private static Color gray(int frame) {
    int value = 20 + 14 * frame;
    return new Color(value, value, value);
  }

  private static BufferedImage picture(int width, int height, Color color) {
    BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        picture.setRGB(x, y, color.getRGB());
      }
    }
    return picture;
  }
}
