package io.xfuser.models.internal.scheduler;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.registry.Registry;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerProvider;
import io.xfuser.scheduler.SchedulerProvider.Ability;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.weights.ComponentConfig;
import java.util.Set;

/** The schedulers that a diffusers directory may ask for. */
public final class Schedulers {
  private Schedulers() {}

  /** The classes of those that have {@code abilities}, by diffusers' names. */
  public static Set<String> with(Set<Ability> abilities) {
    return all().classNames(provider -> provider.abilities().containsAll(abilities));
  }

  /**
   * What makes the schedulers of class {@code _class_name}.
   *
   * @param config {@code scheduler/scheduler_config.json}
   * @throws ModelException if the class is not known
   */
  public static SchedulerProvider provider(ComponentConfig config) {
    return all().require(config.getString("_class_name"), config.origin() + ": _class_name");
  }

  /**
   * The scheduler of class {@code _class_name}.
   *
   * @param config {@code scheduler/scheduler_config.json}
   * @throws ModelException if the class is not known, or naming a setting that is wrong or not
   *     supported
   */
  public static Scheduler fromConfig(ComponentConfig config, SchedulerRequest request) {
    return open(provider(config), config, request);
  }

  /** The same of a class that was found before. */
  public static Scheduler open(
      SchedulerProvider provider, ComponentConfig config, SchedulerRequest request) {
    Scheduler whole = provider.open(config, request);
    return request.begin() == 0 ? whole : new LaterSteps(whole, request.begin());
  }

  private static Registry<SchedulerProvider> all() {
    return Registry.of(SchedulerProvider.class, SchedulerProvider::classNames);
  }
}
