package io.xfuser.pipeline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.nn.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.parallel.Communicator;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Hidden;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * From noise to latents on one rank. In every step the spans of {@link RankPlan#spans} pass through
 * the stages in order: the whole picture in a synchronous step, patch after patch in a step of
 * PipeFusion (arXiv 2405.14430), so that all stages work at once. The first stage embeds, the last
 * one keeps the samples and sends latents back to the first. With one stage and one patch this is
 * the plain loop.
 *
 * @param <C> the model's conditioning
 */
final class DenoisingLoop<C> {
  private final NDManager request;
  private final RankPlan plan;
  private final PipelineStage<C> stage;
  private final Scheduler scheduler;
  private final Guidance guidance;
  private final List<Attention> attentions;
  private final Noise noise;
  private final Samples samples;
  private final Communicator pipe;
  private final Inbox inbox;
  private final double[] timesteps;
  private @Nullable NDArray wholeLatents;
  private long peakBytes;

  DenoisingLoop(NDManager request, RankPlan plan, Communicator pipe, Parts<C> parts, Noise noise) {
    this.request = request;
    this.plan = plan;
    this.stage = parts.stage();
    this.scheduler = parts.scheduler();
    this.guidance = parts.guidance();
    this.attentions = parts.attentions();
    this.noise = noise;
    this.samples = new Samples(request, plan.layout(), plan.shard(), noise.initial());
    this.pipe = pipe;
    this.timesteps = scheduler.timesteps();
    this.inbox = new Inbox(pipe, pipe.isFirst() ? pipe.size() - 1 : pipe.rank() - 1, messages());
  }

  /** What the loop runs: a stage, its attentions, and what turns predictions into samples. */
  record Parts<C>(
      PipelineStage<C> stage, List<Attention> attentions, Scheduler scheduler, Guidance guidance) {}

  /** How many tensors this stage receives. */
  private int messages() {
    if (pipe.size() == 1) {
      return 0;
    }
    int steps = pipe.isFirst() ? plan.steps() - 1 : plan.steps(); // none after the last step
    return IntStream.range(0, steps).map(t -> plan.spans(t).size()).sum();
  }

  /** Takes step {@code t}; {@code conditioning} is that of the request. */
  void step(C conditioning, int t) {
    try (NDManager step = request.newSubManager()) {
      C atStep = stage.conditioner().at(step, conditioning, timesteps[t]);
      for (PatchSpan span : plan.spans(t)) {
        microStep(step, atStep, t, span);
      }
      wholeLatents = null; // owned by the step
    }
  }

  /** The final latents' tokens (B, l, c) that this rank owns; only on the last stage. */
  NDArray tokens(NDManager owner) {
    return samples.tokens(owner);
  }

  private void microStep(NDManager step, C conditioning, int t, PatchSpan span) {
    TokenRange local = plan.layout().local(span, plan.shard());
    try (NDManager scope = step.newSubManager()) {
      NDArray x = // (B, l, C)
          pipe.isFirst()
              ? embed(scope, latents(step, scope, t, span), local, conditioning, t)
              : inbox.next(scope);
      x = stage.forward(scope, new Hidden(x, local, span), conditioning, attentions);
      peakBytes = Math.max(peakBytes, openBytes());
      if (pipe.isLast()) {
        finish(scope, new Hidden(x, local, span), conditioning, t);
      } else {
        pipe.send(List.of(x), pipe.rank() + 1);
      }
    }
  }

  private long openBytes() {
    return request.getManagedArrays().stream().mapToLong(ElementType::bytesOf).sum();
  }

  private NDArray embed(NDManager scope, NDArray latents, TokenRange local, C conditioning, int t) {
    NDArray input = guidance.batch(scope, scheduler.scaleInput(scope, latents, t)); // (B, l, c)
    return stage.embedding().embed(scope, input, local, conditioning); // (B, l, C)
  }

  /** The latents (B, l, c) of {@code span} before step {@code t}, on the first stage. */
  private NDArray latents(NDManager step, NDManager scope, int t, PatchSpan span) {
    if (pipe.isLast()) {
      return samples.at(span).tokens();
    }
    TokenRange local = plan.layout().local(span, plan.shard());
    if (t == 0) {
      return Torch.slice(scope, noise.initial(), 1, local.from(), local.to());
    }
    if (plan.spans(t - 1).contains(span)) {
      return inbox.next(scope);
    }
    // the last synchronous step sent the whole picture
    NDArray whole = wholeLatents;
    if (whole == null) {
      whole = inbox.next(step);
      wholeLatents = whole;
    }
    return Torch.slice(scope, whole, 1, local.from(), local.to());
  }

  private void finish(NDManager scope, Hidden x, C conditioning, int t) {
    NDArray prediction = // (B, l, c)
        guidance.combine(scope, stage.head().predict(scope, x, conditioning));
    NDArray fresh =
        scheduler.stochastic()
            ? Torch.slice(scope, noise.steps().get(t), 1, x.local().from(), x.local().to())
            : null;
    Sample next =
        samples.replace(
            x.span(), (owner, sample) -> scheduler.step(owner, sample, prediction, fresh));
    if (!pipe.isFirst() && t < plan.steps() - 1) {
      pipe.send(List.of(next.tokens()), 0);
    }
  }

  /** The most bytes of tensors that were open at once, seen after each pass through the blocks. */
  long peakBytes() {
    return peakBytes;
  }

  /** Bytes of keys and values that this rank keeps. */
  long bufferBytes() {
    return attentions.stream().mapToLong(Attention::bufferBytes).sum();
  }
}
