package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.scheduler.Sample;
import io.xfuser.torchscript.Torch;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The samples that the last stage keeps: one for the whole picture while steps are synchronous,
 * then one per patch. Each has an owner of its own, closed when the next sample takes its place.
 */
final class Samples {
  private final NDManager request;
  private final TokenLayout layout;
  private final int shard;
  private final Map<PatchSpan, Owned> samples = new HashMap<>();

  /**
   * Starts with {@code first}, of the tokens (B, l, c) that this rank owns of the whole picture.
   */
  Samples(NDManager request, TokenLayout layout, int shard, Sample first) {
    this.request = request;
    this.layout = layout;
    this.shard = shard;
    NDManager owner = request.newSubManager();
    samples.put(layout.all(), new Owned(map(first, x -> Torch.alias(owner, x)), owner));
  }

  /** The sample of {@code span}; cut out of the whole picture's if that is what there is. */
  Sample at(PatchSpan span) {
    return owned(span).sample();
  }

  /**
   * Puts the sample that {@code next} makes in its own manager in the place of the one of {@code
   * span}.
   */
  Sample replace(PatchSpan span, SolverStep next) {
    Owned old = owned(span);
    NDManager owner = request.newSubManager();
    Owned made = new Owned(next.from(owner, old.sample()), owner);
    samples.put(span, made);
    old.owner().close();
    return made.sample();
  }

  /** The tokens (B, l, c) of all patches. */
  NDArray tokens(NDManager owner) {
    return joined(owner, Sample::tokens);
  }

  /** The sample of all patches, tokens and history of (B, l, c). */
  Sample whole(NDManager owner) {
    Sample first = parts().get(0);
    List<NDArray> history =
        IntStream.range(0, first.history().size())
            .mapToObj(i -> joined(owner, part -> part.history().get(i)))
            .toList();
    return new Sample(tokens(owner), history, first.step());
  }

  private NDArray joined(NDManager owner, Function<Sample, NDArray> tensor) {
    List<NDArray> parts = parts().stream().map(tensor).toList();
    return parts.size() == 1 ? Torch.alias(owner, parts.get(0)) : Torch.concat(owner, parts, 1);
  }

  /** The whole, or its patches in order. */
  private List<Sample> parts() {
    Stream<PatchSpan> spans =
        samples.containsKey(layout.all())
            ? Stream.of(layout.all())
            : IntStream.range(0, layout.patches()).mapToObj(PatchSpan::of);
    return spans.map(span -> present(span).sample()).toList();
  }

  /** The same with each tensor as {@code each} makes it. */
  static Sample map(Sample sample, UnaryOperator<NDArray> each) {
    return new Sample(
        each.apply(sample.tokens()), sample.history().stream().map(each).toList(), sample.step());
  }

  private Owned owned(PatchSpan span) {
    if (!samples.containsKey(span)) {
      cut();
    }
    return present(span);
  }

  private void cut() {
    Owned whole = present(layout.all());
    for (int patch = 0; patch < layout.patches(); patch++) {
      PatchSpan span = PatchSpan.of(patch);
      TokenRange local = layout.local(span, shard);
      NDManager owner = request.newSubManager();
      samples.put(span, new Owned(map(whole.sample(), x -> cut(owner, x, local)), owner));
    }
    samples.remove(layout.all());
    whole.owner().close();
  }

  private static NDArray cut(NDManager owner, NDArray x, TokenRange local) {
    try (NDManager scope = owner.newSubManager()) {
      return Torch.contiguous(owner, Torch.slice(scope, x, 1, local.from(), local.to()));
    }
  }

  private Owned present(PatchSpan span) {
    return Objects.requireNonNull(samples.get(span), "no sample of this span");
  }

  /** One step of a solver. */
  @FunctionalInterface
  interface SolverStep {
    Sample from(NDManager owner, Sample sample);
  }

  private record Owned(Sample sample, NDManager owner) {}
}
