package io.xfuser.cli.quality;

import io.xfuser.failure.ArgumentException;
import java.awt.image.BufferedImage;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How near a video is to a reference.
 *
 * @param frames each frame's fidelity, at least one; all frames have one size
 */
public record VideoFidelity(List<Fidelity> frames) {
  /** Keeps a copy. */
  public VideoFidelity {
    frames = List.copyOf(frames);
  }

  /**
   * Compares frame by frame.
   *
   * @throws ArgumentException if the numbers of frames differ, or two frames cannot be compared
   */
  public static VideoFidelity of(List<BufferedImage> reference, List<BufferedImage> video) {
    if (video.size() != reference.size()) {
      throw new ArgumentException(
          "a video of %d frames cannot be compared with one of %d"
              .formatted(video.size(), reference.size()));
    }
    return new VideoFidelity(
        IntStream.range(0, video.size())
            .mapToObj(i -> Fidelity.of(reference.get(i), video.get(i)))
            .toList());
  }

  /**
   * The peak signal-to-noise ratio over all values of all frames in dB, infinite for equal videos:
   * the {@code average} of FFmpeg's filter {@code psnr}, not a mean of the frames' ratios.
   */
  public double psnr() {
    double error =
        frames.stream().mapToDouble(frame -> Math.pow(10, -frame.psnr() / 10)).average().orElse(0);
    return 10 * Math.log10(1 / error);
  }

  /** The structural similarity, the mean of the frames; 1 for equal videos. */
  public double ssim() {
    return frames.stream().mapToDouble(Fidelity::ssim).average().orElse(1);
  }

  /** The largest difference of any value, 0 to 1. */
  public double largestDifference() {
    return frames.stream().mapToDouble(Fidelity::largestDifference).max().orElse(0);
  }

  /** The number of the frame with the lowest PSNR, the first of several. */
  public int worst() {
    return IntStream.range(0, frames.size())
        .boxed()
        .min(Comparator.comparingDouble(i -> frames.get(i).psnr()))
        .orElseThrow();
  }
}
