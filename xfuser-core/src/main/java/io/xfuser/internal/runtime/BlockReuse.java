package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.internal.runtime.StepMemory.Kept;
import io.xfuser.internal.runtime.StepMemory.Name;
import io.xfuser.nn.Range;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Hidden;
import java.util.List;

/**
 * The blocks of a stage, which in a spared step add to the image's hidden states what they added in
 * the last computed one. Each stage keeps that of its own blocks. Text is not passed on then:
 * nothing that follows reads it. Keys and values of other patches stay as they are.
 *
 * @param stage whose blocks these are
 * @param contexts of each block
 * @param memory of hidden states, (B, l, C)
 * @param choice says whether a step is spared
 */
record BlockReuse<C>(
    PipelineStage<C> stage, List<BlockContext> contexts, StepMemory memory, StepChoice choice) {
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

  /** Step {@code t} of {@code x}. */
  Passed forward(NDManager owner, Hidden x, C conditioning, LongSkips.Pass skips, int t) {
    Kept kept = memory.of(x.place().span());
    boolean measures = choice.stages().isFirst();
    boolean firstBlock = choice.policy().method() == StepCache.FBCACHE && measures;
    Range before = new Range(0, firstBlock ? 1 : 0);
    Hidden begun = stage.forward(owner, x, conditioning, contexts, skips, before);
    boolean spared;
    if (choice.policy().byNumber()) {
      spared = choice.byNumber(kept, t);
    } else if (!measures) {
      spared = t > choice.first() && choice.told(0);
    } else if (firstBlock) {
      spared = compared(owner, difference(owner, begun, x), kept, t, false);
    } else {
      spared = compared(owner, stage.modulated(owner, x, conditioning), kept, t, true);
    }
    if (spared) {
      NDArray image = program(owner, "plus", begun.image(), kept.need(Name.ADDED));
      return new Passed(begun.with(image, null), true);
    }
    Range rest = new Range(before.to(), stage.blocks().size());
    Hidden out = stage.forward(owner, begun, conditioning, contexts, skips, rest);
    skips.end();
    kept.put(Name.ADDED, difference(owner, out, begun));
    return new Passed(out, false);
  }

  /**
   * Whether a step is spared in which {@code now} is compared with what it was.
   *
   * @param always whether the next step is compared with this one even if it is spared
   */
  private boolean compared(NDManager owner, NDArray now, Kept kept, int t, boolean always) {
    boolean spared =
        t > choice.first()
            && choice.by(choice.sums(owner, now, kept.get(Name.COMPARED)).relative(), kept, t);
    if (always || !spared) {
      kept.put(Name.COMPARED, now);
    }
    return spared;
  }

  private static NDArray difference(NDManager owner, Hidden after, Hidden before) {
    return program(owner, "difference", after.image(), before.image());
  }

  private static NDArray program(NDManager owner, String function, NDArray x, NDArray y) {
    return Guidance.Arithmetic.PROGRAM.call(owner, function, x, y);
  }
}
