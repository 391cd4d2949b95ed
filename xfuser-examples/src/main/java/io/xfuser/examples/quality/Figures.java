package io.xfuser.examples.quality;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.xfuser.cli.quality.Fidelity;
import io.xfuser.cli.quality.VideoFidelity;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * How near pictures or videos are to those of serial generation, over all prompts.
 *
 * @param setting how they were drawn
 * @param pictures how many were compared
 * @param equal how many of them have the same 8-bit values; they are left out of the PSNR
 * @param psnr the median in dB of the others, NaN if there are none
 * @param psnrLow a tenth of the others is at or below this PSNR
 * @param psnrWorst the median in dB of the others' worst frames, which are those with the lowest
 *     PSNR; a picture has one frame
 * @param ssim the mean
 * @param ssimLow a tenth of the pictures is at or below this SSIM
 * @param ssimWorst the mean of the worst frames
 * @param <S> what may be set
 */
record Figures<S>(
    @JsonUnwrapped S setting,
    @JsonProperty("pictures") int pictures,
    @JsonProperty("equal") long equal,
    @JsonProperty("psnr") double psnr,
    @JsonProperty("psnr_low") double psnrLow,
    @JsonProperty("psnr_worst") double psnrWorst,
    @JsonProperty("ssim") double ssim,
    @JsonProperty("ssim_low") double ssimLow,
    @JsonProperty("ssim_worst") double ssimWorst) {
  private static final double MEDIAN = 0.5;
  private static final double LOW = 0.1;

  /** What {@code each} picture's fidelity amounts to. */
  static <S> Figures<S> of(S setting, List<VideoFidelity> each) {
    List<Fidelity> worst = each.stream().map(one -> one.frames().get(one.worst())).toList();
    double[] psnr = finite(each.stream().mapToDouble(VideoFidelity::psnr));
    double[] ssim = each.stream().mapToDouble(VideoFidelity::ssim).sorted().toArray();
    return new Figures<>(
        setting,
        each.size(),
        each.size() - psnr.length,
        quantile(psnr, MEDIAN),
        quantile(psnr, LOW),
        quantile(finite(worst.stream().mapToDouble(Fidelity::psnr)), MEDIAN),
        Arrays.stream(ssim).average().orElse(Double.NaN),
        quantile(ssim, LOW),
        worst.stream().mapToDouble(Fidelity::ssim).average().orElse(Double.NaN));
  }

  private static double[] finite(DoubleStream psnr) {
    return psnr.filter(Double::isFinite).sorted().toArray();
  }

  private static double quantile(double[] sorted, double share) {
    return sorted.length == 0 ? Double.NaN : sorted[(int) Math.round(share * (sorted.length - 1))];
  }
}
