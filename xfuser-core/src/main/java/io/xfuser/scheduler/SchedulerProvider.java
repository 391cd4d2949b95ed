package io.xfuser.scheduler;

import io.xfuser.weights.ComponentConfig;
import java.util.Set;

/**
 * Makes the schedulers of some of diffusers' classes. Another one is added by a class with a public
 * constructor without parameters that implements this, named in {@code
 * META-INF/services/io.xfuser.scheduler.SchedulerProvider}: every pipeline that needs no more than
 * its {@link #abilities} then takes it.
 */
public interface SchedulerProvider {
  /** The classes, as {@code model_index.json} names them. */
  Set<String> classNames();

  /** What a request may ask of its schedulers beside a number of steps. */
  Set<Ability> abilities();

  /**
   * The scheduler for one generation.
   *
   * @param config {@code scheduler_config.json}, whose {@link ComponentConfig#className} is one of
   *     {@link #classNames}
   * @throws IllegalArgumentException naming a setting that is wrong or not supported
   */
  Scheduler open(ComponentConfig config, SchedulerRequest request);

  /** What diffusers' {@code set_timesteps} and {@code step} of a scheduler may be told. */
  enum Ability {
    /** {@link SchedulerRequest#eta}. */
    ETA,
    /** {@link SchedulerRequest#mu}, the shift of a picture of that size. */
    MU,
    /** {@link SchedulerRequest#sigmas}, a noise level of the caller's for each step. */
    SIGMAS,
    /** The same, and one more for what follows the last step. */
    SIGMAS_TO_THE_END,
    /** {@link SchedulerRequest#timesteps}, the caller's. */
    TIMESTEPS,
    /**
     * {@link SchedulerRequest#sigmas}, one more than steps, which are angles in radians from the
     * picture (0) to noise (a quarter turn).
     */
    ANGLES
  }
}
