package io.xfuser.scheduler;

import io.xfuser.weights.ComponentConfig;
import java.util.Set;

/** The schedulers that a diffusers directory may ask for. */
public final class Schedulers {
  /** The classes, by diffusers' names. */
  public static final Set<String> CLASSES =
      Set.of(
          "DPMSolverMultistepScheduler",
          "DDIMScheduler",
          "DDPMScheduler",
          "EulerDiscreteScheduler",
          "FlowMatchEulerDiscreteScheduler");

  private Schedulers() {}

  /**
   * The scheduler of class {@code _class_name}.
   *
   * @param config {@code scheduler/scheduler_config.json}
   * @throws IllegalArgumentException if the class is not known, or naming a setting that is wrong
   *     or not supported
   */
  public static Scheduler fromConfig(ComponentConfig config, SchedulerRequest request) {
    String name = config.getString("_class_name");
    return switch (name) {
      case "DPMSolverMultistepScheduler" -> DpmSolverMultistep.of(config, request);
      case "DDIMScheduler" -> Ddim.of(config, request);
      case "DDPMScheduler" -> Ddpm.of(config, request);
      case "EulerDiscreteScheduler" -> EulerDiscrete.of(config, request);
      case "FlowMatchEulerDiscreteScheduler" -> FlowMatchEuler.of(config, request);
      default ->
          throw new IllegalArgumentException(
              config.origin()
                  + ": _class_name is \""
                  + name
                  + "\"; supported are "
                  + String.join(", ", CLASSES.stream().sorted().toList()));
    };
  }
}
