package io.xfuser.examples.quality;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.xfuser.cli.quality.Fidelity;
import java.util.Arrays;
import java.util.List;

/**
 * How near pictures are to those of serial generation, over all prompts.
 *
 * @param setting how they were drawn
 * @param pictures how many were compared
 * @param equal how many of them have the same 8-bit values; they are left out of the PSNR
 * @param psnr the median in dB of the others, NaN if there are none
 * @param psnrLow a tenth of the others is at or below this PSNR
 * @param ssim the mean
 * @param ssimLow a tenth of the pictures is at or below this SSIM
 * @param <S> what may be set
 */
record Figures<S>(
    @JsonUnwrapped S setting,
    @JsonProperty("pictures") int pictures,
    @JsonProperty("equal") long equal,
    @JsonProperty("psnr") double psnr,
    @JsonProperty("psnr_low") double psnrLow,
    @JsonProperty("ssim") double ssim,
    @JsonProperty("ssim_low") double ssimLow) {
  private static final double MEDIAN = 0.5;
  private static final double LOW = 0.1;

  /** What {@code each} picture's fidelity amounts to. */
  static <S> Figures<S> of(S setting, List<Fidelity> each) {
    double[] psnr =
        each.stream().mapToDouble(Fidelity::psnr).filter(Double::isFinite).sorted().toArray();
    double[] ssim = each.stream().mapToDouble(Fidelity::ssim).sorted().toArray();
    return new Figures<>(
        setting,
        each.size(),
        each.size() - psnr.length,
        quantile(psnr, MEDIAN),
        quantile(psnr, LOW),
        Arrays.stream(ssim).average().orElse(Double.NaN),
        quantile(ssim, LOW));
  }

  private static double quantile(double[] sorted, double share) {
    return sorted.length == 0 ? Double.NaN : sorted[(int) Math.round(share * (sorted.length - 1))];
  }
}
