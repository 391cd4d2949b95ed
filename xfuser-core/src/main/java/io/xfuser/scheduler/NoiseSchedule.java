package io.xfuser.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import java.util.Arrays;

/**
 * How much of the picture is left at each training step. Source: arXiv 2006.11239 (linear), arXiv
 * 2112.10752 (scaled linear), arXiv 2102.09672 (cosine).
 */
final class NoiseSchedule {
  private static final Program PROGRAM = Program.load(NoiseSchedule.class, "noise.py");

  /** Stands for no picture at all where the noise per picture must stay finite. */
  private static final float ALMOST_NOTHING = 0x1p-24f;

  private static final double COSINE_OFFSET = 0.008;
  private static final double LARGEST_BETA = 0.999;

  private final float[] alphasCumprod; // (T)
  private final float[] sigmas; // (T)
  private final float[] logSigmas; // (T)
  private final float[] logSnr; // (T)

  private NoiseSchedule(NDManager scope, NDArray alphas) {
    alphasCumprod = alphas.toFloatArray();
    sigmas = PROGRAM.call(scope, "sigmas", alphas).toFloatArray();
    logSnr = PROGRAM.call(scope, "log_snr", alphas).toFloatArray();
    logSigmas = new float[sigmas.length];
    for (int i = 0; i < sigmas.length; i++) {
      logSigmas[i] = (float) Math.log(sigmas[i]);
    }
  }

  /**
   * The schedule that {@code options} describe.
   *
   * @param finite whether the last sigma must be finite even if the settings ask for pure noise
   */
  static NoiseSchedule of(Options options, boolean finite) {
    try (NDManager scope = Torch.newManager()) {
      boolean zeroSnr = options.isTrue("rescale_betas_zero_snr");
      NDArray betas = betas(scope, options);
      if (zeroSnr) {
        betas = PROGRAM.call(scope, "zero_terminal_snr", betas);
      }
      NDArray alphas = PROGRAM.call(scope, "alphas_cumprod", betas); // (T)
      if (alphas.size() < 2) {
        throw new IllegalArgumentException(
            options.config().origin() + " has a noise schedule of a single step");
      }
      if (zeroSnr && finite) {
        float[] values = alphas.toFloatArray();
        values[values.length - 1] = ALMOST_NOTHING;
        alphas = scope.create(values);
      }
      return new NoiseSchedule(scope, alphas);
    }
  }

  private static NDArray betas(NDManager scope, Options options) {
    ComponentConfig config = options.config();
    if (config.has("trained_betas")) {
      double[] betas =
          config.getDoubleList("trained_betas").stream().mapToDouble(Double::doubleValue).toArray();
      return PROGRAM.call(scope, "given_betas", betas);
    }
    int count = options.positive("num_train_timesteps", 1000);
    double first = config.getDouble("beta_start", 0.0001);
    double last = config.getDouble("beta_end", 0.02);
    String kind = options.oneOf("beta_schedule", "linear", "scaled_linear", "squaredcos_cap_v2");
    return switch (kind) {
      case "linear" -> PROGRAM.call(scope, "even", first, last, count);
      case "scaled_linear" ->
          PROGRAM.call(scope, "squared_betas", Math.sqrt(first), Math.sqrt(last), count);
      default -> PROGRAM.call(scope, "given_betas", cosineBetas(count));
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
    double root = Math.cos((time + COSINE_OFFSET) / (1 + COSINE_OFFSET) * Math.PI / 2);
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
    try (NDManager scope = Torch.newManager()) {
      double first = largestLogSigma();
      double last = smallestLogSigma();
      float[] levels = PROGRAM.call(scope, "exponentials", first, last, count).toFloatArray();
      double[] exact = new double[count];
      Arrays.setAll(exact, i -> levels[i]);
      return exact;
    }
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
    double logSigma = Math.log(Math.max(sigma, 1e-10));
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
