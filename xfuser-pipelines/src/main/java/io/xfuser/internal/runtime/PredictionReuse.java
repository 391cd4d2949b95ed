package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.internal.runtime.StepMemory.Course;
import io.xfuser.internal.runtime.StepMemory.Kept;
import io.xfuser.internal.runtime.StepMemory.Name;
import io.xfuser.nn.TokenLayout.PatchSpan;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What the whole transformer predicts in a spared step: of EasyCache what it added to its latents
 * in the last computed step, of TaylorSeer the line through the last two computed ones. No stage
 * computes then. The last stage, where latents and predictions are, keeps them and chooses; for
 * EasyCache it chooses once it has the latents of the next step, so that the first stage knows as
 * soon as it has them.
 */
final class PredictionReuse {
  private final RankPlan plan;
  private final StepMemory memory;
  private final StepChoice choice;
  private final Guidance guidance;
  private final StepChoice.Told told;
  private final Map<PatchSpan, Boolean> chosen = new HashMap<>(); // of the next step
  private final Changes changes = new Changes();

  PredictionReuse(RankPlan plan, StepMemory memory, StepChoice choice, Guidance guidance) {
    this.plan = plan;
    this.memory = memory;
    this.choice = choice;
    this.guidance = guidance;
    this.told = new StepChoice.Told(choice, choice.stages().size() - 1);
  }

  /** Sums over the spans so far, of those that are decided together. */
  private static final class Changes {
    private double output;
    private double input;
    private double latents; // since the step before
  }

  /** Whether step {@code t} of {@code span} is spared; asked once. */
  boolean spared(int t, PatchSpan span) {
    if (!choice.policy().ofPrediction()) {
      return false;
    }
    if (choice.policy().byNumber()) {
      return choice.byNumber(memory.of(span).course(), t);
    }
    if (t == choice.first()) {
      return false;
    }
    return choice.stages().isLast()
        ? Objects.requireNonNull(chosen.remove(span), "nothing was chosen")
        : told.at(t);
  }

  /** The transformer's rows in a spared step, whose latents are {@code x}. */
  NDArray rows(NDManager owner, PatchSpan span, int t, Latents x) {
    Kept kept = memory.of(span);
    NDArray last = kept.need(Name.PREDICTION); // (B or 2B, d, c)
    if (taylor()) {
      NDArray slope = kept.get(Name.SLOPE);
      return slope == null ? last : call(owner, "line", last, slope, (double) t - kept.computed());
    }
    NDArray latents = x.of(owner, span);
    kept.put(Name.LATENTS, latents);
    NDArray now = guidance.batch(owner, latents);
    NDArray then = guidance.batch(owner, kept.need(Name.COMPUTED_LATENTS));
    return call(owner, "moved", last, now, then);
  }

  /** Keeps what the transformer's {@code rows} were in a computed step with latents {@code x}. */
  void computed(NDManager owner, PatchSpan span, int t, Latents x, NDArray rows) {
    if (!choice.policy().ofPrediction()) {
      return;
    }
    Kept kept = memory.of(span);
    NDArray before = kept.get(Name.PREDICTION);
    if (taylor()) {
      if (before != null) {
        double steps = (double) t - kept.computed();
        kept.put(Name.SLOPE, call(owner, "slope", rows, before, steps));
      }
    } else {
      NDArray latents = x.of(owner, span);
      changes.output += choice.sums(owner, rows, before).change();
      changes.input += choice.sums(owner, latents, kept.get(Name.COMPUTED_LATENTS)).change();
      if (complete(span)) {
        kept.course().slope(changes.output / changes.input);
        changes.output = 0;
        changes.input = 0;
      }
      kept.put(Name.COMPUTED_LATENTS, latents);
      kept.put(Name.LATENTS, latents);
    }
    kept.put(Name.PREDICTION, rows);
    kept.computed(t);
  }

  /** The latents (B, d, c) of a span before a step, as the transformer takes them. */
  @FunctionalInterface
  interface Latents {
    NDArray of(NDManager owner, PatchSpan span);
  }

  /**
   * Chooses for step {@code t} + 1, whose latents are there now, after step {@code t} of {@code
   * span}.
   */
  void choose(NDManager owner, PatchSpan span, int t, Latents next) {
    if (choice.policy().method() != StepCache.EASYCACHE || t + 1 == plan.to()) {
      return;
    }
    List<PatchSpan> all = plan.spans(t + 1);
    for (PatchSpan part : all) {
      if (part.from() >= span.from() && part.to() <= span.to()) {
        Kept kept = memory.of(part);
        changes.latents +=
            choice.sums(owner, next.of(owner, part), kept.need(Name.LATENTS)).change();
        if (complete(part)) {
          choose(owner, kept.course(), t + 1, choice.together() ? all : List.of(part));
        }
      }
    }
  }

  private void choose(NDManager owner, Course course, int t, List<PatchSpan> spans) {
    double size = course.size(() -> spans.stream().mapToDouble(x -> size(owner, x)).sum());
    boolean spared = choice.by(course.slope() * changes.latents / size, course, t);
    changes.latents = 0;
    spans.forEach(span -> chosen.put(span, spared));
  }

  private double size(NDManager owner, PatchSpan span) {
    NDArray prediction = memory.of(span).need(Name.PREDICTION);
    return choice.sums(owner, prediction, prediction).before();
  }

  /** Whether all that is decided together with {@code span} is there when it is. */
  private boolean complete(PatchSpan span) {
    return !choice.together() || span.to() == plan.layout().patches();
  }

  private boolean taylor() {
    return choice.policy().method() == StepCache.TAYLORSEER;
  }

  private static NDArray call(NDManager owner, String function, Object... arguments) {
    return Guidance.Arithmetic.PROGRAM.call(owner, function, arguments);
  }
}
