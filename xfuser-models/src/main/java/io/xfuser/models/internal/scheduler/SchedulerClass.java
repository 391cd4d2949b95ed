package io.xfuser.models.internal.scheduler;

import io.xfuser.failure.ModelException;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerProvider;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.weights.ComponentConfig;
import java.util.Set;

/** One class of diffusers' schedulers. */
abstract class SchedulerClass implements SchedulerProvider {
  private final String className;
  private final Opener opener;
  private final Set<Ability> abilities;

  SchedulerClass(String className, Opener opener, Ability... abilities) {
    this.className = className;
    this.opener = opener;
    this.abilities = Set.of(abilities);
  }

  /**
   * A scheduler as its settings and a request say; refuses with {@link ModelException} a setting
   * that is wrong or not supported.
   */
  interface Opener {
    Scheduler open(SchedulerSettings options, SchedulerRequest request);
  }

  @Override
  public final Set<String> classNames() {
    return Set.of(className);
  }

  @Override
  public final Set<Ability> abilities() {
    return abilities;
  }

  @Override
  public final Scheduler open(ComponentConfig config, SchedulerRequest request) {
    boolean sigmas = can(Ability.SIGMAS) || can(Ability.SIGMAS_TO_THE_END) || can(Ability.ANGLES);
    require(config, request.sigmas() == null || sigmas, "sigmas");
    require(config, request.timesteps() == null || can(Ability.TIMESTEPS), "timesteps");
    return opener.open(new SchedulerSettings(config), request);
  }

  private boolean can(Ability ability) {
    return abilities.contains(ability);
  }

  private void require(ComponentConfig config, boolean taken, String what) {
    if (!taken) {
      throw new ModelException("%s: %s takes no %s".formatted(config.origin(), className, what));
    }
  }
}
