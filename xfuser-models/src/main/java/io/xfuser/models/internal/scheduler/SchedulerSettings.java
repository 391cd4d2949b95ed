package io.xfuser.models.internal.scheduler;

import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.weights.ComponentConfig;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The settings of a scheduler, with refusal of those that would change the result and are not
 * supported. Settings that the scheduler's class does not have are of no effect, as in diffusers.
 */
record SchedulerSettings(ComponentConfig config) {
  /** Refuses every value of {@code name} but null and {@code neutral}, given as JSON. */
  void requireNeutral(String name, String neutral) {
    String value = config.text(name);
    if (config.has(name) && !value.equals(neutral)) {
      throw new ModelException(
          "%s: %s is %s, which is not supported".formatted(config.origin(), name, value));
    }
  }

  /** Refuses that {@code name} is true. */
  void requireFalse(String name) {
    requireNeutral(name, "false");
  }

  /** The value of {@code name}, one of {@code supported}; without a setting, the first of them. */
  String oneOf(String name, String... supported) {
    String value = config.getString(name, supported[0]);
    if (!List.of(supported).contains(value)) {
      List<String> names = Arrays.stream(supported).distinct().toList();
      throw new ModelException(
          "%s: %s is \"%s\"; supported are %s"
              .formatted(config.origin(), name, value, String.join(", ", names)));
    }
    return value;
  }

  boolean isTrue(String name) {
    return config.getBoolean(name, false);
  }

  /** A whole number that must be positive. */
  int positive(String name, int otherwise) {
    int value = config.getInt(name, otherwise);
    if (value < 1) {
      throw new ModelException(
          "%s: %s is %d, not positive".formatted(config.origin(), name, value));
    }
    return value;
  }

  /** {@code solver_order}, 1 to 3. */
  int order() {
    int order = config.getInt("solver_order", 2);
    if (order < 1 || order > 3) {
      throw new ModelException(config.origin() + ": solver_order is " + order + ", not 1, 2 or 3");
    }
    return order;
  }

  /** Refuses eta for solvers that have none. */
  void requireNoEta(SchedulerRequest request) {
    if (request.eta() != 0) {
      throw new ArgumentException(
          "eta is %s, but %s takes none"
              .formatted(request.eta(), config.getString("_class_name", "this scheduler")));
    }
  }

  /**
   * The timesteps that a request prescribes, if it does.
   *
   * @param trainSteps the first must be less
   * @param curves settings of which none may be true then
   */
  Optional<double[]> timesteps(SchedulerRequest request, int trainSteps, String... curves) {
    List<Integer> given = request.timesteps();
    if (given == null) {
      return Optional.empty();
    }
    if (given.get(0) >= trainSteps) {
      throw new ArgumentException(
          "timesteps begin with %d, but the noise schedule of %s has only %d"
              .formatted(given.get(0), config.origin(), trainSteps));
    }
    for (String curve : curves) {
      if (isTrue(curve)) {
        throw new ArgumentException(
            "timesteps are given, but %s has %s".formatted(config.origin(), curve));
      }
    }
    return Optional.of(given.stream().mapToDouble(Integer::doubleValue).toArray());
  }

  /** Refuses more steps than the noise schedule has. */
  void requireAtMost(int trainSteps, SchedulerRequest request) {
    if (request.steps() > trainSteps) {
      throw new ArgumentException(
          "num_inference_steps is %d, but the noise schedule of %s has only %d"
              .formatted(request.steps(), config.origin(), trainSteps));
    }
  }
}
