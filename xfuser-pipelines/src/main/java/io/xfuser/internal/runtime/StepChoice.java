package io.xfuser.internal.runtime;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.cache.CachePolicy;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.internal.runtime.StepMemory.Course;
import io.xfuser.model.PipelineModel;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.nio.FloatBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The choice whether a step is spared, which is that of a single rank with all pictures: the ranks
 * of one stage measure together, by sums over all tokens and both passes of guidance, and tell the
 * other stages.
 *
 * @param policy of the request
 * @param together whether patches that are computed one after the other have one choice in a step,
 *     for which they wait
 * @param first the first step to take, before which there is nothing to use again
 * @param alike the ranks that have other tokens, prompts or pictures in the same blocks
 * @param tensor the ranks with other shares of these blocks; the first one's numbers count
 * @param stages of this rank's transformer
 */
record StepChoice(
    CachePolicy policy,
    boolean together,
    int first,
    Communicator alike,
    Communicator tensor,
    Communicator stages) {
  /** What {@code plan}'s request asks for. */
  static StepChoice of(PipelineModel<?> model, RankPlan plan, RankGroups groups) {
    CachePolicy policy = CachePolicy.of(plan.request(), model.calibration());
    boolean together = !policy.byNumber() && plan.cachesWhole(); // numbers are the same for all
    return new StepChoice(
        policy, together, plan.from(), groups.alike(), groups.tensor(), groups.skips());
  }

  /** By the step's number alone, which every rank can. */
  boolean byNumber(Course course, int t) {
    return t > first && course.decisions().spares(t, Double.NaN);
  }

  /** By how much has changed; tells the other stages. Not asked for the first step. */
  boolean by(double change, Course course, int t) {
    boolean spared = course.decisions().spares(t, change);
    try (NDManager scope = Torch.newManager()) {
      for (int stage = 0; stage < stages.size(); stage++) {
        if (stage != stages.rank()) {
          NDArray word = Torch.empty(scope, ElementType.INT64, 1);
          Torch.memory(word).asLongBuffer().put(spared ? 1 : 0);
          stages.send(List.of(word), stage);
        }
      }
    }
    return spared;
  }

  private boolean receive(int stage) {
    try (NDManager scope = Torch.newManager()) {
      NDArray word = stages.receive(stage).await(scope).get(0);
      return Torch.memory(Torch.to(scope, word, Device.cpu())).asLongBuffer().get() == 1;
    }
  }

  /** What another stage has chosen. */
  static final class Told {
    private final StepChoice choice;
    private final int stage;
    private int step = -1;
    private boolean spared;

    Told(StepChoice choice, int stage) {
      this.choice = choice;
      this.stage = stage;
    }

    /** For the next span of step {@code t}; waits only once where it is for all of them. */
    boolean at(int t) {
      if (!choice.together() || step != t) {
        step = t;
        spared = choice.receive(stage);
      }
      return spared;
    }
  }

  /**
   * The sums of |x - before| and |before| over all elements of all these ranks; both NaN where
   * there is nothing before.
   */
  Sums sums(NDManager scope, NDArray x, @Nullable NDArray before) {
    if (before == null) {
      return new Sums(Double.NaN, Double.NaN);
    }
    NDArray own = Guidance.Arithmetic.PROGRAM.call(scope, "change", x, before); // (2)
    NDArray all = told(scope, alike.allReduceSum(scope, own));
    FloatBuffer sums = Torch.memory(Torch.to(scope, all, Device.cpu())).asFloatBuffer();
    return new Sums(sums.get(0), sums.get(1));
  }

  /** The numbers of the first of the ranks that share these blocks: two CPUs may differ. */
  private NDArray told(NDManager scope, NDArray sums) {
    return tensor.size() == 1
        ? sums
        : tensor.broadcast(scope, tensor.isFirst() ? List.of(sums) : List.of(), 0).get(0);
  }

  /** See {@link #sums}. */
  record Sums(double change, double before) {
    static final Sums NONE = new Sums(0, 0);

    double relative() {
      return change / before;
    }

    /** Of the elements of both. */
    Sums plus(Sums other) {
      return new Sums(change + other.change, before + other.before);
    }
  }
}
