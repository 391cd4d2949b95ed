package io.xfuser.cli.runner;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.cli.quality.Fidelity;
import io.xfuser.report.RunReport;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a comparison found, as {@code --report} writes it.
 *
 * @param pictures each picture
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
   * One picture.
   *
   * @param file that of the parallel configuration
   * @param psnr in dB, null where the pictures are equal
   * @param ssim 1 where they are
   * @param largestDifference of any value, 0 to 1
   */
  record PictureScores(
      @JsonProperty("file") String file,
      @JsonProperty("psnr") @Nullable Double psnr,
      @JsonProperty("ssim") double ssim,
      @JsonProperty("largest_difference") double largestDifference) {

    static PictureScores of(Path file, Fidelity fidelity) {
      return new PictureScores(
          String.valueOf(file.getFileName()),
          Double.isInfinite(fidelity.psnr()) ? null : fidelity.psnr(),
          fidelity.ssim(),
          fidelity.largestDifference());
    }

    /** For a person. */
    String line() {
      return psnr == null
          ? file + ": equal to serial"
          : String.format(
              Locale.ROOT,
              "%s: PSNR %.2f dB, SSIM %.4f, largest difference %.3f",
              file,
              psnr,
              ssim,
              largestDifference);
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
