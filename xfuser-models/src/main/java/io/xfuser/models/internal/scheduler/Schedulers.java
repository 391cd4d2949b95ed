package io.xfuser.models.internal.scheduler;

import io.xfuser.failure.ModelException;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.weights.ComponentConfig;
import java.util.Map;
import java.util.Set;

/** The schedulers that a diffusers directory may ask for. */
public final class Schedulers {
  private static final Map<String, Factory> SOLVERS =
      Map.ofEntries(
          Map.entry("DPMSolverMultistepScheduler", DpmSolverMultistep::of),
          Map.entry("UniPCMultistepScheduler", UniPc::of),
          Map.entry("DEISMultistepScheduler", Deis::of),
          Map.entry("DDIMScheduler", Ddim::of),
          Map.entry("DDPMScheduler", Ddpm::of),
          Map.entry("LCMScheduler", Lcm::of),
          Map.entry("EulerDiscreteScheduler", EulerDiscrete::of),
          Map.entry("EulerAncestralDiscreteScheduler", EulerAncestral::of),
          Map.entry("HeunDiscreteScheduler", Heun::of),
          Map.entry("FlowMatchEulerDiscreteScheduler", FlowMatchEuler::of),
          Map.entry("FlowMatchHeunDiscreteScheduler", Heun::ofFlow));

  /** The classes, by diffusers' names. */
  public static final Set<String> CLASSES = SOLVERS.keySet();

  private interface Factory {
    Scheduler of(ComponentConfig config, SchedulerRequest request);
  }

  private Schedulers() {}

  /**
   * The scheduler of class {@code _class_name}.
   *
   * @param config {@code scheduler/scheduler_config.json}
   * @throws ModelException if the class is not known, or naming a setting that is wrong or not
   *     supported
   */
  public static Scheduler fromConfig(ComponentConfig config, SchedulerRequest request) {
    String name = config.getString("_class_name");
    Factory solver = SOLVERS.get(name);
    if (solver == null) {
      throw new ModelException(
          "%s: _class_name is \"%s\"; supported are %s"
              .formatted(
                  config.origin(), name, String.join(", ", CLASSES.stream().sorted().toList())));
    }
    return solver.of(config, request);
  }
}
