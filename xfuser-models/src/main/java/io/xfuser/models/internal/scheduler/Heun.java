package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.torchscript.Torch;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Heun's method: an Euler step, then the mean of the slopes at both ends. N steps ask the model 2N
 * − 1 times, since the last one is an Euler step; between the two calls of a step the history is
 * the first slope and the sample that it starts from. Source: arXiv 2206.00364, algorithm 1 without
 * churn, diffusers {@code scheduling_heun_discrete.py} and, of flows, {@code
 * scheduling_flow_match_heun_discrete.py}.
 */
public final class Heun extends EulerSolver {
  private static final String FLOW = "flow";
  private static final NoiseSchedule.BetaDefaults DEFAULTS =
      new NoiseSchedule.BetaDefaults(0.00085, 0.012, "linear");

  private final double clip;

  private Heun(String predictionType, double clip, EulerSigmas once) {
    super(
        predictionType, // and each level but the first twice
        new EulerSigmas(doubled(once.values()), doubled(once.timesteps()), once.initial()));
    this.clip = clip;
  }

  private static Heun of(SchedulerSettings options, SchedulerRequest request) {
    SigmaCurves.check(options);
    NoiseSchedule schedule = NoiseSchedule.withoutRescaling(options, DEFAULTS);
    EulerSigmas.Levels levels =
        timesteps -> Arrays.stream(timesteps).map(schedule::sigma).toArray();
    return new Heun(
        options.oneOf("prediction_type", "epsilon", "v_prediction", "sample"),
        options.isTrue("clip_sample")
            ? options.config().getDouble("clip_sample_range", 1)
            : Double.POSITIVE_INFINITY,
        EulerSigmas.of(options, request, schedule, levels));
  }

  private static Heun ofFlow(SchedulerSettings options, SchedulerRequest request) {
    options.requireNoEta(request);
    float[] values = Sequences.toFloats(FlowSigmas.fixed(options, request.steps()), 0);
    int trainSteps = options.positive("num_train_timesteps", 1000);
    double[] timesteps = new double[request.steps()];
    Arrays.setAll(timesteps, i -> values[i] * trainSteps);
    return new Heun(FLOW, Double.POSITIVE_INFINITY, new EulerSigmas(values, timesteps, 1));
  }

  private static double[] doubled(double[] timesteps) {
    double[] doubled = new double[2 * timesteps.length - 1];
    Arrays.setAll(doubled, i -> timesteps[(i + 1) / 2]);
    return doubled;
  }

  /** All but the first and the last, which follows the last step. */
  private static float[] doubled(float[] sigmas) {
    float[] doubled = new float[2 * sigmas.length - 2];
    for (int i = 0; i < doubled.length; i++) {
      doubled[i] = sigmas[(i + 1) / 2];
    }
    return doubled;
  }

  @Override
  public NDArray scaleInput(NDManager owner, NDArray tokens, int step) {
    return predictionType.equals(FLOW)
        ? Torch.alias(owner, tokens)
        : super.scaleInput(owner, tokens, step);
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
    int step = Steps.next(sample, sigmas.timesteps().length);
    double[] slope = sigmas.ofOriginal(step);
    if (step % 2 == 0) {
      NDArray first =
          Steps.PROGRAM.call(
              owner, "slope", predictionType, sample.tokens(), prediction, slope, clip);
      NDArray next =
          Steps.PROGRAM.call(
              owner, "follow", sample.tokens(), first, prediction, new double[] {change(step)});
      return new Sample(next, List.of(first, Torch.alias(owner, sample.tokens())), step + 1);
    }
    try (NDManager scope = owner.newSubManager()) {
      NDArray second =
          Steps.PROGRAM.call(
              scope, "slope", predictionType, sample.tokens(), prediction, slope, clip);
      NDArray mean = Steps.PROGRAM.call(scope, "mean", sample.history().get(0), second);
      NDArray from = sample.history().get(1);
      NDArray next =
          Steps.PROGRAM.call(
              owner, "follow", from, mean, prediction, new double[] {change(step - 1)});
      return new Sample(next, List.of(), step + 1);
    }
  }

  private double change(int step) {
    return sigmas.values()[step + 1] - sigmas.values()[step];
  }

  @Override
  public @Nullable NDArray original(NDManager owner, Sample sample, NDArray prediction) {
    double[] coefficients = sigmas.ofOriginal(Steps.next(sample, sigmas.timesteps().length));
    return predictionType.equals(FLOW)
        ? null // diffusers' step returns none
        : Steps.PROGRAM.call(
            owner,
            "clipped_euler_original",
            predictionType,
            sample.tokens(),
            prediction,
            coefficients,
            clip);
  }

  @Override
  public @Nullable NDArray preview(NDManager owner, Sample sample, NDArray prediction) {
    double[] down = {-sigmas.values()[sample.step()]};
    return predictionType.equals(FLOW)
        ? Steps.PROGRAM.call(owner, "flow", sample.tokens(), prediction, down)
        : original(owner, sample, prediction);
  }

  public static final class Provider extends SchedulerClass {
    public Provider() {
      super("HeunDiscreteScheduler", Heun::of, Ability.TIMESTEPS);
    }
  }

  /** Makes that of a rectified flow. */
  public static final class FlowProvider extends SchedulerClass {
    public FlowProvider() {
      super("FlowMatchHeunDiscreteScheduler", Heun::ofFlow);
    }
  }
}
