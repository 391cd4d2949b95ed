package io.xfuser.cli.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.util.List;
import org.junit.jupiter.api.Test;

class VideoFidelityTest {
  private static final int SIDE = 12;

  /** All errors are of one channel: PSNR is 10 · log10(3 / mean square of the channel). */
  @Test
  void errorsOfAllFramesAreOneMean() {
    List<BufferedImage> black = List.of(filled(0), filled(0), filled(0), filled(0));
    List<BufferedImage> others = List.of(filled(0), filled(51), filled(102), filled(51));
    VideoFidelity found = VideoFidelity.of(black, others); // differences 0, 0.2, 0.4 and 0.2
    assertThat(found.psnr()).isCloseTo(10 * Math.log10(3 / 0.06), within(1e-9));
    assertThat(found.largestDifference()).isCloseTo(0.4, within(1e-12));
    assertThat(found.worst()).isEqualTo(2);
    assertThat(found.frames().get(2).psnr()).isCloseTo(10 * Math.log10(3 / 0.16), within(1e-9));
    double ssim = found.frames().stream().mapToDouble(Fidelity::ssim).sum() / 4;
    assertThat(found.ssim()).isCloseTo(ssim, within(1e-12)).isLessThan(1);
  }

  @Test
  void equalVideosHaveNoError() {
    List<BufferedImage> video = List.of(filled(7), filled(8));
    VideoFidelity found = VideoFidelity.of(video, video);
    assertThat(found.psnr()).isInfinite();
    assertThat(found.ssim()).isEqualTo(1);
    assertThat(found.largestDifference()).isZero();
    assertThat(found.worst()).isZero();
  }

  @Test
  void videosOfUnequalLengthAreRefused() {
    assertThatThrownBy(() -> VideoFidelity.of(List.of(filled(0), filled(0)), List.of(filled(0))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a video of 1 frames cannot be compared with one of 2");
  }

  private static BufferedImage filled(int red) {
    BufferedImage picture = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < SIDE * SIDE; i++) {
      picture.setRGB(i % SIDE, i / SIDE, new Color(red, 0, 0).getRGB());
    }
    return picture;
  }
}
