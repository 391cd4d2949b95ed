package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.cache.CachePolicy;
import io.xfuser.internal.cache.StepDecisions;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a step cache remembers from step to step on one rank: of the whole picture while steps are
 * synchronous, then of each patch, which begins with its part of the whole.
 */
final class StepMemory {
  private final NDManager request;
  private final TokenLayout layout;
  private final int shard;
  private final boolean together;
  private final Map<PatchSpan, Kept> spans = new HashMap<>();

  /** What may be remembered, each (B, l, c) of the tokens of a span. */
  enum Name {
    /** What the next step is compared with. */
    COMPARED,
    /** What blocks added to hidden states in the last computed step. */
    ADDED,
    /** The latents of the step before. */
    LATENTS,
    /** Those of the last computed step. */
    COMPUTED_LATENTS,
    /** What the transformer predicted in it. */
    PREDICTION,
    /** How much that changed in a step. */
    SLOPE
  }

  /**
   * Nothing yet.
   *
   * @param layout who has which of the tokens that are remembered
   * @param together whether there is one decision for all patches
   */
  StepMemory(
      NDManager request, TokenLayout layout, int shard, CachePolicy policy, boolean together) {
    this.request = request;
    this.layout = layout;
    this.shard = shard;
    this.together = together;
    spans.put(layout.all(), new Kept(new Course(new StepDecisions(policy))));
  }

  Kept of(PatchSpan span) {
    if (!spans.containsKey(span)) {
      Kept whole = Objects.requireNonNull(spans.remove(layout.all()), "neither whole nor patch");
      for (int patch = 0; patch < layout.patches(); patch++) {
        PatchSpan part = PatchSpan.of(patch);
        spans.put(part, whole.part(layout.local(part, shard)));
      }
      whole.close();
    }
    return Objects.requireNonNull(spans.get(span));
  }

  long bytes() {
    return spans.values().stream().mapToLong(Kept::bytes).sum();
  }

  /** How far changes have come: of one span, or of all patches together. */
  static final class Course {
    private final StepDecisions decisions;
    private double slope = Double.NaN;
    private double size = Double.NaN;

    private Course(StepDecisions decisions) {
      this.decisions = decisions;
    }

    StepDecisions decisions() {
      return decisions;
    }

    /** How much predictions change over latents, for EasyCache. */
    double slope() {
      return slope;
    }

    /** Takes that of a computed step, the size of whose prediction is not known yet. */
    void slope(double value) {
      slope = value;
      size = Double.NaN;
    }

    /** Σ|y| of the last prediction; found once, by {@code sum}. */
    double size(DoubleSupplier sum) {
      if (Double.isNaN(size)) {
        size = sum.getAsDouble();
      }
      return size;
    }

    /** The same so far, of a part, whose prediction has a size of its own. */
    private Course part() {
      Course part = new Course(decisions.copy());
      part.slope = slope;
      return part;
    }
  }

  /** Of one span. */
  final class Kept {
    private final Course course;
    private final Map<Name, Owned> tensors = new EnumMap<>(Name.class);
    private int computed = -1; // the last computed step

    private Kept(Course course) {
      this.course = course;
    }

    Course course() {
      return course;
    }

    /** A tensor, null where there is none yet. */
    @Nullable NDArray get(Name name) {
      Owned owned = tensors.get(name);
      return owned == null ? null : owned.tensor();
    }

    /** A tensor that is there. */
    NDArray need(Name name) {
      return Objects.requireNonNull(get(name), () -> "no " + name + " is kept");
    }

    /** Keeps {@code tensor}, contiguous, in the place of the one of that name. */
    void put(Name name, NDArray tensor) {
      NDManager owner = request.newSubManager();
      Owned old = tensors.put(name, new Owned(Torch.contiguous(owner, tensor), owner));
      if (old != null) {
        old.owner().close();
      }
    }

    /** The last computed step, -1 before the first. */
    int computed() {
      return computed;
    }

    void computed(int t) {
      computed = t;
    }

    private Kept part(TokenRange local) {
      Kept part = new Kept(together ? course : course.part());
      try (NDManager scope = request.newSubManager()) {
        tensors.forEach(
            (name, whole) ->
                part.put(
                    name,
                    Torch.copy( // a view would keep all of the whole
                        scope, Torch.slice(scope, whole.tensor(), 1, local.from(), local.to()))));
      }
      part.computed = computed;
      return part;
    }

    private long bytes() {
      return tensors.values().stream().mapToLong(x -> ElementType.bytesOf(x.tensor())).sum();
    }

    private void close() {
      tensors.values().forEach(owned -> owned.owner().close());
    }
  }

  private record Owned(NDArray tensor, NDManager owner) {}
}
