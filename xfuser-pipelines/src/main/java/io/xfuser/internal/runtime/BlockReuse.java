package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.internal.runtime.StepChoice.Sums;
import io.xfuser.internal.runtime.StepMemory.Course;
import io.xfuser.internal.runtime.StepMemory.Kept;
import io.xfuser.internal.runtime.StepMemory.Name;
import io.xfuser.nn.Range;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Hidden;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The blocks of a stage, which in a spared step add to the image's hidden states what they added in
 * the last computed one. Each stage keeps that of its own blocks. Text is not passed on then:
 * nothing that follows reads it. Keys and values of other patches stay as they are.
 */
final class BlockReuse<C> {
  private final PipelineStage<C> stage;
  private final List<BlockContext> contexts;
  private final StepMemory memory;
  private final StepChoice choice;
  private final StepChoice.Told told;

  /**
   * Of one request.
   *
   * @param stage whose blocks these are
   * @param contexts of each block
   * @param memory of hidden states, (B, l, C)
   * @param choice says whether a step is spared
   */
  BlockReuse(
      PipelineStage<C> stage, List<BlockContext> contexts, StepMemory memory, StepChoice choice) {
    this.stage = stage;
    this.contexts = contexts;
    this.memory = memory;
    this.choice = choice;
    this.told = new StepChoice.Told(choice, 0);
  }

  /**
   * A span before the choice whether its blocks are spared.
   *
   * @param hidden its hidden states, after the first block where that tells
   * @param rest the blocks that are left
   * @param measured what is compared, where this stage does
   * @param skips of its pass
   */
  record Begun(Hidden hidden, Range rest, @Nullable NDArray measured, LongSkips.Pass skips) {}

  /**
   * The hidden states after all blocks, and whether they were computed.
   *
   * @param hidden owned by the manager given
   * @param spared whether only what is always computed was
   */
  record Passed(Hidden hidden, boolean spared) {}

  /** Whether a step may take what the blocks of an earlier one added. */
  boolean reuses() {
    return !choice.policy().none() && !choice.policy().ofPrediction();
  }

  /** Says that a pass comes: where all blocks will be used, the first is read from now on. */
  void expectPass() {
    if (!reuses()) {
      stage.expectPass();
    }
  }

  /** Says the same while the one before is not over, if no choice can spare it. */
  void expectAnother() {
    if (choice.policy().none()) {
      stage.expectPass();
    }
  }

  /** Whether all spans of a step have to be begun before any of them goes on here. */
  boolean waitsForAll() {
    return reuses() && choice.together() && measures();
  }

  private boolean measures() {
    return !choice.policy().byNumber() && choice.stages().isFirst();
  }

  /** What is computed of {@code x} in every step. */
  Begun begin(NDManager owner, Hidden x, C conditioning, LongSkips.Pass skips) {
    boolean firstBlock = choice.policy().method() == StepCache.FBCACHE && measures();
    Range before = new Range(0, firstBlock ? 1 : 0);
    Hidden begun = stage.forward(owner, x, conditioning, contexts, skips, before);
    NDArray measured = null;
    if (firstBlock) {
      measured = difference(owner, begun, x);
    } else if (measures()) {
      measured = stage.modulated(owner, x, conditioning);
    }
    return new Begun(begun, new Range(before.to(), stage.blocks().size()), measured, skips);
  }

  /**
   * Whether step {@code t} is spared, for {@code spans} together; {@code owner} owns nothing after.
   */
  boolean spared(NDManager owner, List<Begun> spans, int t) {
    Course course = kept(spans.get(0)).course();
    if (choice.policy().byNumber()) {
      return choice.byNumber(course, t);
    }
    if (!measures()) {
      return t > choice.first() && told.at(t);
    }
    boolean spared = t > choice.first() && choice.by(change(owner, spans), course, t);
    // TeaCache adds up what changes from step to step, FBCache compares with a computed one
    boolean always = choice.policy().method() == StepCache.TEACACHE;
    for (Begun span : spans) {
      if (span.measured() != null && (always || !spared)) {
        kept(span).put(Name.COMPARED, span.measured());
      }
    }
    return spared;
  }

  private double change(NDManager owner, List<Begun> spans) {
    return spans.stream()
        .filter(span -> span.measured() != null)
        .map(span -> choice.sums(owner, span.measured(), kept(span).get(Name.COMPARED)))
        .reduce(Sums.NONE, Sums::plus)
        .relative();
  }

  /** The rest of step {@code t} for one span. */
  Passed end(NDManager owner, Begun begun, C conditioning, boolean spared) {
    Kept kept = kept(begun);
    Hidden x = begun.hidden();
    if (spared) {
      NDArray image = program(owner, "plus", x.image(), kept.need(Name.ADDED));
      return new Passed(x.with(image, null), true);
    }
    Hidden out = stage.forward(owner, x, conditioning, contexts, begun.skips(), begun.rest());
    begun.skips().end();
    kept.put(Name.ADDED, difference(owner, out, x));
    return new Passed(out, false);
  }

  private Kept kept(Begun begun) {
    return memory.of(begun.hidden().place().span());
  }

  private static NDArray difference(NDManager owner, Hidden after, Hidden before) {
    return program(owner, "difference", after.image(), before.image());
  }

  private static NDArray program(NDManager owner, String function, NDArray x, NDArray y) {
    return Guidance.Arithmetic.PROGRAM.call(owner, function, x, y);
  }
}
