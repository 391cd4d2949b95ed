package io.xfuser.models.internal.scheduler;

import io.xfuser.failure.ModelException;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.weights.ComponentConfig;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/**
 * The noise levels of a rectified flow, shifted towards noise for large pictures. Source: arXiv
 * 2403.03206, eq. 23.
 */
public final class FlowSigmas {
  private final ComponentConfig config;

  /** Applied after every operation: levels that a pipeline prescribes are float32 in diffusers. */
  private final DoubleUnaryOperator round;

  private FlowSigmas(ComponentConfig config, DoubleUnaryOperator round) {
    this.config = config;
    this.round = round;
  }

  /**
   * The noise levels that most pipelines of rectified flows prescribe in {@link
   * SchedulerRequest#sigmas}: from 1 to {@code 1 / steps}. Source: diffusers {@code
   * pipeline_flux.py}.
   */
  public static List<Double> even(int steps) {
    return Arrays.stream(Sequences.linear(1, 1.0 / steps, steps)).boxed().toList();
  }

  /** The same down to a level of 0, as some pipelines ask for. */
  public static List<Double> toZero(int steps) {
    return Arrays.stream(Sequences.linear(1, 0, steps)).boxed().toList();
  }

  /** One level per step, descending. */
  static double[] of(SchedulerSettings options, SchedulerRequest request) {
    List<Double> given = request.sigmas();
    FlowSigmas flow =
        new FlowSigmas(options.config(), given == null ? x -> x : x -> (double) (float) x);
    double[] levels =
        given == null
            ? own(options, request.steps(), options.isTrue("use_dynamic_shifting"))
            : given.stream().mapToDouble(Double::floatValue).toArray();
    double[] shifted = flow.stretch(flow.shift(options, request, levels));
    return SigmaCurves.of(options, shifted[0], shifted[shifted.length - 1], shifted.length)
        .orElse(shifted);
  }

  /** As many of the scheduler's own, with the fixed {@code shift} alone. */
  static double[] fixed(SchedulerSettings options, int steps) {
    FlowSigmas flow = new FlowSigmas(options.config(), x -> x);
    return flow.shiftBy(options.config().getDouble("shift", 1), own(options, steps, false));
  }

  /** Even between the ends of the training schedule, which a fixed shift moves in float32. */
  private static double[] own(SchedulerSettings options, int steps, boolean dynamic) {
    int trainSteps = options.positive("num_train_timesteps", 1000);
    float largest = 1;
    float smallest = 1f / trainSteps;
    if (!dynamic) {
      float shift = (float) options.config().getDouble("shift", 1);
      float less = (float) (options.config().getDouble("shift", 1) - 1);
      largest = shift * largest / (1 + less * largest);
      smallest = shift * smallest / (1 + less * smallest);
    }
    double[] timesteps =
        Sequences.linear((double) largest * trainSteps, (double) smallest * trainSteps, steps);
    return Arrays.stream(timesteps).map(timestep -> timestep / trainSteps).toArray();
  }

  private double[] shift(SchedulerSettings options, SchedulerRequest request, double[] levels) {
    if (!options.isTrue("use_dynamic_shifting")) {
      return shiftBy(config.getDouble("shift", 1), levels);
    }
    Double mu = request.mu();
    if (mu == null) {
      throw new ModelException(
          config.origin() + ": use_dynamic_shifting is true, but the request has no mu");
    }
    String kind = options.oneOf("time_shift_type", "exponential", "linear");
    double weight = r(kind.equals("exponential") ? StrictMath.exp(mu) : mu);
    return map(levels, level -> r(weight / r(weight + r(r(1 / level) - 1))));
  }

  private double[] shiftBy(double shift, double[] levels) {
    return map(levels, level -> r(r(r(shift) * level) / r(1 + r(r(shift - 1) * level))));
  }

  /** Stretches the distance from pure noise so that the last level is {@code shift_terminal}. */
  private double[] stretch(double[] levels) {
    boolean none = !config.has("shift_terminal") || config.text("shift_terminal").equals("false");
    double terminal = none ? 0 : config.getDouble("shift_terminal");
    if (terminal == 0) {
      return levels;
    }
    double factor = r(r(1 - levels[levels.length - 1]) / r(1 - terminal));
    return map(levels, level -> r(1 - r(r(1 - level) / factor)));
  }

  private double r(double number) {
    return round.applyAsDouble(number);
  }

  private static double[] map(double[] levels, DoubleUnaryOperator function) {
    return Arrays.stream(levels).map(function).toArray();
  }
}
