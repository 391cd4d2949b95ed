package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.Hidden.Place;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What stages send to one another: hidden states to the next one, latents from the last one to the
 * first.
 */
final class StageMessages {
  private final RankPlan plan;
  private final Communicator pipe;
  private final Inbox inbox;
  private @Nullable NDArray wholeLatents;

  /**
   * Those of one request.
   *
   * @param pipe this rank's stage among the others
   * @param counted whether hidden states come as often as the plan says, not less often
   */
  StageMessages(RankPlan plan, Communicator pipe, boolean counted) {
    this.plan = plan;
    this.pipe = pipe;
    int before = pipe.isFirst() ? pipe.size() - 1 : pipe.rank() - 1;
    this.inbox =
        counted || pipe.size() == 1 ? new Inbox(pipe, before, count()) : new Inbox(pipe, before);
  }

  /** How many tensors this stage receives. */
  private int count() {
    if (pipe.size() == 1) {
      return 0;
    }
    int afterTheLastStep = pipe.isFirst() ? plan.spans(plan.to() - 1).size() : 0;
    return plan.passes() - afterTheLastStep;
  }

  /** Whether this stage embeds. */
  boolean first() {
    return pipe.isFirst();
  }

  /** Whether this stage predicts. */
  boolean last() {
    return pipe.isLast();
  }

  /**
   * The latents (B, d, c) of {@code span} before step {@code t}, on the first of several stages.
   *
   * @param begin those (B, d, c) of all tokens before the first step
   */
  NDArray latents(NDManager step, NDManager scope, int t, PatchSpan span, NDArray begin) {
    TokenRange local = plan.denoised().local(span, plan.shard());
    if (t == plan.from()) {
      return Torch.slice(scope, begin, 1, local.from(), local.to());
    }
    if (plan.spans(t - 1).contains(span)) {
      return inbox.next(scope).get(0);
    }
    // the last synchronous step sent the whole picture
    NDArray whole = wholeLatents;
    if (whole == null) {
      whole = inbox.next(step).get(0);
      wholeLatents = whole;
    }
    return Torch.slice(scope, whole, 1, local.from(), local.to());
  }

  /** What the step owned is gone. */
  void stepDone() {
    wholeLatents = null;
  }

  /** Sends the {@code latents} after step {@code t} to the first stage, if that needs them. */
  void back(NDArray latents, int t) {
    if (!pipe.isFirst() && t < plan.to() - 1) {
      pipe.send(List.of(latents), 0);
    }
  }

  /** The hidden states that the stage before sent. */
  Hidden received(NDManager scope, Place place) {
    List<NDArray> tensors = inbox.next(scope);
    Hidden image = new Hidden(tensors.get(0), place);
    return tensors.size() == 1 ? image : image.with(tensors.get(0), tensors.get(1));
  }

  /** Sends hidden states to the next stage. */
  void pass(NDManager scope, Hidden x) {
    NDArray text = x.text();
    NDArray image = Torch.contiguous(scope, x.image());
    pipe.send(
        text == null ? List.of(image) : List.of(image, Torch.contiguous(scope, text)),
        pipe.rank() + 1);
  }
}
