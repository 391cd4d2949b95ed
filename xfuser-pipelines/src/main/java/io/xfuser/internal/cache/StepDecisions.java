package io.xfuser.internal.cache;

/**
 * Decides step by step whether what an earlier step computed is used again, of what is computed
 * together in one request: the whole picture, or one patch of it.
 */
public final class StepDecisions {
  private final CachePolicy policy;
  private double changed; // since the last computed step, as far as the method adds it up
  private double ratio = 1;
  private int spared; // one after the other

  /** Before the first step. */
  public StepDecisions(CachePolicy policy) {
    this.policy = policy;
  }

  /** The same so far, of a part of it. */
  public StepDecisions copy() {
    StepDecisions copy = new StepDecisions(policy);
    copy.changed = changed;
    copy.ratio = ratio;
    copy.spared = spared;
    return copy;
  }

  /**
   * Whether step {@code t} is spared. Asked once for each step in order.
   *
   * @param change relative, as the method measures it; NaN where nothing can be compared
   */
  public boolean spares(int t, double change) {
    boolean spares = !policy.computes(t) && spared < policy.most() && small(t, change);
    if (spares) {
      spared++;
    } else {
      changed = 0;
      ratio = 1;
      spared = 0;
    }
    return spares;
  }

  private boolean small(int t, double change) {
    return switch (policy.method()) {
      case NONE -> false;
      case FBCACHE -> change < policy.threshold();
      case TEACACHE -> added(policy.rescaled(change)) < policy.threshold();
      case EASYCACHE -> added(change) < policy.threshold();
      case MAGCACHE -> {
        ratio *= policy.ratio(t);
        yield added(Math.abs(1 - ratio)) < policy.threshold();
      }
      case TAYLORSEER -> !policy.refreshes(t);
    };
  }

  private double added(double more) {
    changed += more;
    return changed;
  }
}
