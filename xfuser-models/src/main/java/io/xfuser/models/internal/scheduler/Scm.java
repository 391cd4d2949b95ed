package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.weights.ComponentConfig;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Consistency of continuous time (sCM) by TrigFlow: a sample is cos(a) of a picture and sin(a) of
 * noise, and each step predicts the picture and turns it to the next angle with noise anew; the
 * last one does not. The model is told how far a flow would be at that angle, and gives a flow's
 * velocity. Samples are as large as sigma_data, the picture at the end is as the autoencoder's.
 * Source: arXiv 2410.11081, diffusers {@code scheduling_scm.py} and the loop of {@code
 * SanaSprintPipeline}.
 */
public final class Scm implements Scheduler {
  private static final double LARGEST = 1.57080;

  /** Of a turn, with the rounding of the usual largest one. */
  private static final float QUARTER = 1.571f;

  private final float[] angles;
  private final float deviation;

  private Scm(SchedulerSettings options, SchedulerRequest request) {
    ComponentConfig config = options.config();
    options.oneOf("prediction_type", "trigflow");
    options.requireNoEta(request);
    options.requireAtMost(options.positive("num_train_timesteps", 1000), request);
    deviation = (float) config.getDouble("sigma_data", 0.5);
    if (!(deviation > 0) || !Float.isFinite(deviation)) {
      throw new ModelException(
          "%s: sigma_data %s must be positive".formatted(config.origin(), deviation));
    }
    List<Double> all =
        Objects.requireNonNullElseGet(
            request.sigmas(), () -> Angles.of(LARGEST, null, request.steps()));
    angles = new float[all.size()];
    for (int i = 0; i < angles.length; i++) {
      angles[i] = all.get(i).floatValue();
      if (!(angles[i] >= 0 && angles[i] <= QUARTER) || (i > 0 && angles[i] >= angles[i - 1])) {
        throw new ArgumentException(
            "max_timesteps and intermediate_timesteps must be angles that descend from at most %s to 0, but are %s"
                .formatted(QUARTER, all));
      }
    }
  }

  /** How far a flow is from the picture at the angle before {@code step}, 1 at noise. */
  private float flow(int step) {
    float sine = Float32.sin(angles[step]);
    return sine / (Float32.cos(angles[step]) + sine);
  }

  @Override
  public double[] timesteps() {
    double[] told = new double[angles.length - 1];
    Arrays.setAll(told, this::flow);
    return told;
  }

  @Override
  public double initialNoiseSigma() {
    return deviation;
  }

  @Override
  public NDArray scaleInput(NDManager owner, NDArray tokens, int step) {
    return Steps.PROGRAM.call(owner, "turned", tokens, coefficients(step));
  }

  @Override
  public boolean noisesPictures() {
    return true;
  }

  /** {@inheritDoc} As {@code SanaSprintImg2ImgPipeline} does it. */
  @Override
  public NDArray noised(NDManager owner, NDArray picture, NDArray noise, int step) {
    double[] weights = {
      Float32.cos(angles[step]) * deviation, Float32.sin(angles[step]) * deviation
    };
    return Steps.PROGRAM.call(owner, "mix", picture, noise, weights);
  }

  /** Of the sample, the length of a flow, and of the flow and the model's velocity. */
  private double[] coefficients(int step) {
    float t = flow(step);
    float rest = 1 - t;
    return new double[] {
      deviation,
      Float32.sqrt(t * t + rest * rest),
      1 - 2 * t,
      1 - 2 * t + 2 * (t * t),
      Float32.cos(angles[step]),
      Float32.sin(angles[step])
    };
  }

  @Override
  public boolean stochastic() {
    return angles.length > 2;
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
    int step = Steps.next(sample, angles.length - 1);
    if (step == angles.length - 2) {
      return new Sample(preview(owner, sample, prediction), List.of(), step + 1);
    }
    try (NDManager scope = owner.newSubManager()) {
      NDArray picture = original(scope, sample, prediction);
      NDArray given = Steps.requireNoise(noise, "all steps of sCM but the last add noise");
      float next = angles[step + 1];
      double[] weights = {Float32.cos(next), Float32.sin(next) * deviation};
      NDArray tokens = Steps.PROGRAM.call(owner, "mix", picture, given, weights);
      return new Sample(tokens, List.of(), step + 1);
    }
  }

  /** {@inheritDoc} As large as samples are. */
  @Override
  public NDArray original(NDManager owner, Sample sample, NDArray prediction) {
    double[] coefficients = coefficients(sample.step());
    return Steps.PROGRAM.call(owner, "turned_back", sample.tokens(), prediction, coefficients);
  }

  /** {@inheritDoc} As the autoencoder has it. */
  @Override
  public NDArray preview(NDManager owner, Sample sample, NDArray prediction) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray picture = original(scope, sample, prediction);
      return Steps.PROGRAM.call(owner, "divide", picture, new double[] {deviation});
    }
  }

  public static final class Provider extends SchedulerClass {
    public Provider() {
      super("SCMScheduler", Scm::new, Ability.ANGLES);
    }
  }
}
