package io.xfuser.cli.runner;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.cli.quality.Fidelity;
import io.xfuser.cli.quality.VideoFidelity;
import io.xfuser.report.RunReport;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a comparison found, as {@code --report} writes it.
 *
 * @param pictures each picture or video
 * @param amplification what differences are multiplied with where they are shown
 * @param serial what one rank took
 * @param parallel what the ranks took
 */
record ComparisonReport(
    @JsonProperty("pictures") List<PictureScores> pictures,
    @JsonProperty("amplification") int amplification,
    @JsonProperty("serial") RunReport serial,
    @JsonProperty("parallel") RunReport parallel) {

  /**
   * One picture or video.
   *
   * @param file that of the parallel configuration; of a video the one that plays
   * @param psnr in dB over all values of all frames, null where they are equal
   * @param ssim 1 where they are; of a video the mean of its frames
   * @param largestDifference of any value, 0 to 1
   * @param worstFrame the one with the lowest PSNR; left out for pictures
   */
  record PictureScores(
      @JsonProperty("file") String file,
      @JsonProperty("psnr") @Nullable Double psnr,
      @JsonProperty("ssim") double ssim,
      @JsonProperty("largest_difference") double largestDifference,
      @JsonProperty("worst_frame") @JsonInclude(JsonInclude.Include.NON_NULL)
          @Nullable PictureScores worstFrame) {

    /** Of a picture. */
    static PictureScores of(Path file, Fidelity fidelity) {
      return new PictureScores(
          name(file), finite(fidelity.psnr()), fidelity.ssim(), fidelity.largestDifference(), null);
    }

    /** Of a video, whose frames are {@code pictures}. */
    static PictureScores of(Path file, VideoFidelity fidelity, List<Path> pictures) {
      int worst = fidelity.worst();
      return new PictureScores(
          name(file),
          finite(fidelity.psnr()),
          fidelity.ssim(),
          fidelity.largestDifference(),
          of(pictures.get(worst), fidelity.frames().get(worst)));
    }

    private static String name(Path file) {
      return String.valueOf(file.getFileName());
    }

    private static @Nullable Double finite(double psnr) {
      return Double.isInfinite(psnr) ? null : psnr;
    }

    /** For a person. */
    String line() {
      if (psnr == null) {
        return file + ": equal to serial";
      }
      String own =
          String.format(
              Locale.ROOT,
              "%s: PSNR %.2f dB, SSIM %.4f, largest difference %.3f",
              file,
              psnr,
              ssim,
              largestDifference);
      return worstFrame == null ? own : own + "; the worst frame " + worstFrame.line();
    }
  }

  /** As indented JSON. */
  String toJson() {
    try {
      return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a report that is no JSON: " + e.getMessage(), e);
    }
  }
}
