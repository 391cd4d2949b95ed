package io.xfuser.models.internal.scheduler;

import io.xfuser.failure.ModelException;
import io.xfuser.weights.ComponentConfig;
import java.util.Arrays;

/**
 * How much of the picture is left at each training step. Source: arXiv 2006.11239 (linear), arXiv
 * 2112.10752 (scaled linear), arXiv 2102.09672 (cosine).
 */
final class NoiseSchedule {
  /** Stands for no picture at all where the noise per picture must stay finite. */
  private static final float ALMOST_NOTHING = 0x1p-24f;

  private static final double COSINE_OFFSET = 0.008;
  private static final double LARGEST_BETA = 0.999;

  private final float[] alphasCumprod; // (T)
  private final float[] sigmas; // (T)
  private final float[] logSigmas; // (T)
  private final float[] logSnr; // (T)

  private NoiseSchedule(float[] alphasCumprod) {
    this.alphasCumprod = alphasCumprod;
    int count = alphasCumprod.length;
    sigmas = new float[count];
    logSigmas = new float[count];
    logSnr = new float[count];
    for (int i = 0; i < count; i++) {
      float alpha = alphasCumprod[i];
      sigmas[i] = Float32.sqrt((1 - alpha) / alpha);
      logSigmas[i] = Float32.log(sigmas[i]);
      logSnr[i] = Float32.log(Float32.sqrt(alpha)) - Float32.log(Float32.sqrt(1 - alpha));
    }
  }

  /**
   * What most solvers' classes have where the settings do not say: {@code beta_start}, {@code
   * beta_end} and {@code beta_schedule}.
   */
  record BetaDefaults(double first, double last, String kind) {
    static final BetaDefaults DDPM = new BetaDefaults(0.0001, 0.02, "linear");
  }

  /**
   * The schedule that {@code options} describe.
   *
   * @param finite whether the last sigma must be finite even if the settings ask for pure noise
   */
  static NoiseSchedule of(SchedulerSettings options, boolean finite) {
    return of(options, finite, BetaDefaults.DDPM);
  }

  /** The same of a class with defaults of its own. */
  static NoiseSchedule of(SchedulerSettings options, boolean finite, BetaDefaults defaults) {
    return of(options, finite, options.isTrue("rescale_betas_zero_snr"), betas(options, defaults));
  }

  /** The same of a class that has no {@code rescale_betas_zero_snr}. */
  static NoiseSchedule withoutRescaling(SchedulerSettings options, BetaDefaults defaults) {
    return of(options, false, false, betas(options, defaults));
  }

  private static NoiseSchedule of(
      SchedulerSettings options, boolean finite, boolean zeroSnr, float[] betas) {
    if (betas.length < 2) {
      throw new ModelException(
          options.config().origin() + " has a noise schedule of a single step");
    }
    float[] alphas = alphasCumprod(zeroSnr ? zeroTerminalSnr(betas) : betas);
    if (zeroSnr && finite) {
      alphas[alphas.length - 1] = ALMOST_NOTHING;
    }
    return new NoiseSchedule(alphas);
  }

  private static float[] alphasCumprod(float[] betas) {
    float[] alphas = new float[betas.length];
    for (int i = 0; i < betas.length; i++) {
      alphas[i] = 1 - betas[i];
    }
    return Float32.products(alphas);
  }

  /** Betas whose last step is pure noise, arXiv 2305.08891, algorithm 1. */
  private static float[] zeroTerminalSnr(float[] betas) {
    float[] alphas = alphasCumprod(betas);
    float first = Float32.sqrt(alphas[0]);
    float last = Float32.sqrt(alphas[alphas.length - 1]);
    float stretch = first / (first - last);
    float[] rescaled = new float[betas.length];
    float earlier = 1;
    for (int i = 0; i < betas.length; i++) {
      float root = (Float32.sqrt(alphas[i]) - last) * stretch;
      float alpha = root * root;
      rescaled[i] = 1 - alpha / earlier;
      earlier = alpha;
    }
    return rescaled;
  }

  private static float[] betas(SchedulerSettings options, BetaDefaults defaults) {
    ComponentConfig config = options.config();
    if (config.has("trained_betas")) {
      return Float32.of(
          config.getDoubleList("trained_betas").stream()
              .mapToDouble(Double::doubleValue)
              .toArray());
    }
    int count = options.positive("num_train_timesteps", 1000);
    double first = config.getDouble("beta_start", defaults.first());
    double last = config.getDouble("beta_end", defaults.last());
    String kind =
        options.oneOf(
            "beta_schedule", defaults.kind(), "linear", "scaled_linear", "squaredcos_cap_v2");
    return switch (kind) {
      case "linear" -> Float32.linear((float) first, (float) last, count);
      case "scaled_linear" -> {
        float[] roots = Float32.linear((float) Math.sqrt(first), (float) Math.sqrt(last), count);
        for (int i = 0; i < count; i++) {
          roots[i] *= roots[i];
        }
        yield roots;
      }
      default -> Float32.of(cosineBetas(count));
    };
  }

  private static double[] cosineBetas(int count) {
    double[] betas = new double[count];
    for (int i = 0; i < count; i++) {
      double kept = cosine((i + 1) / (double) count) / cosine(i / (double) count);
      betas[i] = Math.min(1 - kept, LARGEST_BETA);
    }
    return betas;
  }

  private static double cosine(double time) {
    double root = StrictMath.cos((time + COSINE_OFFSET) / (1 + COSINE_OFFSET) * Math.PI / 2);
    return root * root;
  }

  /** Training steps T. */
  int length() {
    return sigmas.length;
  }

  /** The share of the picture in the variance at training step {@code timestep}. */
  float alphaCumprod(int timestep) {
    return alphasCumprod[timestep];
  }

  /** Noise per unit of picture at {@code timestep}, interpolated between training steps. */
  double sigma(double timestep) {
    return Sequences.interpolate(sigmas, timestep);
  }

  float smallestSigma() {
    return sigmas[0];
  }

  float largestSigma() {
    return sigmas[sigmas.length - 1];
  }

  /** {@code count} noise levels from the largest to the smallest, even in the logarithm. */
  double[] evenInLogarithm(int count) {
    float[] logarithms = Float32.linear(largestLogSigma(), smallestLogSigma(), count);
    double[] levels = new double[count];
    Arrays.setAll(levels, i -> Float32.exp(logarithms[i]));
    return levels;
  }

  float smallestLogSigma() {
    return logSigmas[0];
  }

  float largestLogSigma() {
    return logSigmas[sigmas.length - 1];
  }

  /** How many training steps have a log-SNR (half of it) of at least {@code limit}. */
  int stepsAbove(double limit) {
    int steps = logSnr.length;
    while (steps > 0 && logSnr[steps - 1] < (float) limit) {
      steps--;
    }
    return steps;
  }

  /** The timestep, between training steps, whose noise per picture is {@code sigma}. */
  double timestep(double sigma) {
    double logSigma = StrictMath.log(Math.max(sigma, 1e-10));
    int low = logSigmas.length - 1;
    while (low > 0 && logSigma < logSigmas[low]) {
      low--;
    }
    low = Math.min(low, logSigmas.length - 2);
    // float32, as the table is
    float width = logSigmas[low] - logSigmas[low + 1];
    double weight = Math.min(Math.max((logSigmas[low] - logSigma) / width, 0), 1);
    return (1 - weight) * low + weight * (low + 1);
  }
}
