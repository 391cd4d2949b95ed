package io.xfuser.models.internal;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.models.internal.scheduler.Schedulers;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerProvider;
import io.xfuser.scheduler.SchedulerProvider.Ability;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.weights.ComponentConfig;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A pipeline's schedulers. They keep nothing between calls, so that one serves the check of a
 * request, all of its ranks, and the next requests like it.
 */
final class Schedules {
  private static final String TERMINAL = "shift_terminal";

  private final ComponentConfig config;
  private final SchedulerProvider provider;
  private volatile @Nullable Opened last;

  private Schedules(ComponentConfig config, SchedulerProvider provider) {
    this.config = config;
    this.provider = provider;
  }

  private record Opened(SchedulerRequest request, Scheduler scheduler) {}

  /**
   * Those of {@code config}.
   *
   * @throws ModelException if their class is not known
   */
  static Schedules of(ComponentConfig config) {
    return new Schedules(config, Schedulers.provider(config));
  }

  /** {@code scheduler/scheduler_config.json}. */
  ComponentConfig config() {
    return config;
  }

  Scheduler open(SchedulerRequest request) {
    Opened kept = last;
    if (kept == null || !kept.request().equals(request)) {
      kept = new Opened(request, Schedulers.open(provider, config, request));
      last = kept;
    }
    return kept.scheduler();
  }

  /**
   * {@code request} with the noise levels, timesteps and shift that the caller prescribes.
   *
   * @throws ArgumentException if the scheduler takes none, or they are for another number of steps
   */
  GenerationRequest prescribed(GenerationRequest request) {
    InputConfig input = request.input();
    List<Double> sigmas = input.listed(InputConfig.SIGMAS);
    List<Integer> timesteps = input.listed(InputConfig.TIMESTEPS);
    Double mu = input.get(InputConfig.MU);
    if (sigmas.isEmpty() && timesteps.isEmpty() && mu == null) {
      return request;
    }
    int last = can(Ability.SIGMAS_TO_THE_END) ? 1 : 0;
    require(InputConfig.SIGMAS, sigmas.isEmpty() || last == 1 || can(Ability.SIGMAS));
    require(InputConfig.TIMESTEPS, timesteps.isEmpty() || can(Ability.TIMESTEPS));
    require(InputConfig.MU, mu == null || can(Ability.MU));
    SchedulerRequest usual = request.scheduler();
    int steps = usual.steps();
    if (!sigmas.isEmpty()) {
      steps = steps(input, InputConfig.SIGMAS, sigmas.size() - last);
    } else if (!timesteps.isEmpty()) {
      steps = steps(input, InputConfig.TIMESTEPS, timesteps.size());
    }
    return request.withScheduler(
        new SchedulerRequest(
            steps,
            usual.eta(),
            mu == null ? usual.mu() : mu,
            sigmas.isEmpty() ? usual.sigmas() : sigmas,
            timesteps.isEmpty() ? null : timesteps,
            usual.begin()));
  }

  /**
   * {@code request}, whose noise levels are numbers.
   *
   * @throws ArgumentException if the settings make none of so few steps
   */
  GenerationRequest checked(GenerationRequest request) {
    if (Arrays.stream(open(request.scheduler()).timesteps()).allMatch(Double::isFinite)) {
      return request;
    }
    String terminal = config.has(TERMINAL) ? TERMINAL + " " + config.text(TERMINAL) : "they";
    throw new ArgumentException(
        "%s: the noise levels are no numbers: %s cannot be with num_inference_steps %d"
            .formatted(config.origin(), terminal, request.scheduler().steps()));
  }

  private boolean can(Ability ability) {
    return provider.abilities().contains(ability);
  }

  private void require(Setting<?> setting, boolean taken) {
    if (!taken) {
      throw new ArgumentException(
          "%s takes no %s".formatted(config.getString("_class_name"), setting));
    }
  }

  private static int steps(InputConfig input, Setting<?> prescribed, int steps) {
    Integer asked = input.numInferenceSteps();
    if (steps < 1 || (asked != null && asked != steps)) {
      throw new ArgumentException(
          "%s are for %d steps, but num_inference_steps is %s"
              .formatted(prescribed, steps, asked == null ? "at least 1" : asked));
    }
    return steps;
  }
}
