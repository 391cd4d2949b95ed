package io.xfuser.pipeline;

import io.xfuser.config.InputConfig;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.model.GivenTensors;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a caller asked for, as one JVM understands it: a plan, or the reason why there is none. The
 * reason waits until it can be told to ranks in other JVMs.
 *
 * @param planOrNull what all ranks are to do
 * @param refusal why nothing can be done
 */
record Asked(@Nullable RequestPlan planOrNull, @Nullable RuntimeException refusal) {
  /**
   * Whose request it is.
   *
   * @param input what is asked for
   * @param given tensors in the place of what would be made
   */
  record By(InputConfig input, GivenTensors given) {}

  /** What {@code planning} returns or throws. */
  static Asked of(Supplier<RequestPlan> planning) {
    try {
      return new Asked(planning.get(), null);
    } catch (RuntimeException e) {
      return new Asked(null, e);
    }
  }

  /** The plan; throws the reason if there is none. */
  RequestPlan plan() {
    RequestPlan plan = planOrNull;
    if (plan == null) {
      throw refusal == null ? new IllegalStateException("neither a plan nor a reason") : refusal;
    }
    return plan;
  }
}
