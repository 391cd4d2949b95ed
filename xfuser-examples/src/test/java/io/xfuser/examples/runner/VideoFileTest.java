package io.xfuser.examples.runner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacv.FFmpegFrameGrabber;
import org.bytedeco.javacv.Frame;
import org.bytedeco.javacv.Java2DFrameConverter;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VideoFileTest {
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
    List<Image> frames = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      frames.add(picture(width, height, 40 + 10 * i));
    }
    VideoFile.write(file, frames);

    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).containsExactly(file);
    }
    try (FFmpegFrameGrabber grabber = new FFmpegFrameGrabber(file.toFile());
        Java2DFrameConverter converter = new Java2DFrameConverter()) {
      grabber.start();
      assertThat(grabber.getFrameRate()).isEqualTo(VideoFile.FRAMES_PER_SECOND);
      int read = 0;
      for (Frame frame = grabber.grabImage(); frame != null; frame = grabber.grabImage()) {
        BufferedImage picture = converter.convert(frame);
        assertThat(picture.getWidth()).isEqualTo(storedWidth);
        assertThat(picture.getHeight()).isEqualTo(storedHeight);
        Color corner = new Color(picture.getRGB(storedWidth - 1, storedHeight - 1));
        assertThat(corner.getGreen()).isCloseTo(40 + 10 * read, within(12));
        assertThat(corner.getRed()).isCloseTo(200, within(12));
        read++;
      }
      assertThat(read).isEqualTo(count);
    }
  }

  private static Image picture(int width, int height, int green) {
    BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        picture.setRGB(x, y, new Color(200, green, 60).getRGB());
      }
    }
    return ImageFactory.getInstance().fromImage(picture);
  }
}
