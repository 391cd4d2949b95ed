package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.internal.report.RankFigures;
import io.xfuser.internal.trace.Trace;
import io.xfuser.model.GenerationRequest.LayerGuidance;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.torchscript.Torch;
import io.xfuser.trace.TraceEvent.Activity;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.Hidden.Place;
import java.util.List;
import java.util.Objects;
import java.util.stream.DoubleStream;
import org.jspecify.annotations.Nullable;

/**
 * From noise to latents on one rank. In every step the spans of {@link RankPlan#spans} pass through
 * the stages in order: the whole picture in a synchronous step, patch after patch in a step of
 * PipeFusion (arXiv 2405.14430), so that all stages work at once. The first stage embeds, the last
 * one keeps the samples and sends latents back to the first. With one stage and one patch this is
 * the plain loop, on a rank of DistriFusion too: its tokens are those of its patch. Of a rank's l
 * tokens d are denoised; the others are of segments that these refer to.
 *
 * @param <C> the model's conditioning
 */
final class DenoisingLoop<C> {
  private final NDManager request;
  private final RankPlan plan;
  private final PipelineStage<C> stage;
  private final Scheduler scheduler;
  private final Guidance guidance;
  private final List<BlockContext> contexts;
  private final LongSkips skips;
  private final Start start;
  private final Segments segments;
  private final Samples samples;
  private final Previews previews;
  private boolean shown; // the step that is being taken
  private final Communicator pipe;
  private final Inbox inbox;
  private final Trace trace;
  private final double[] timesteps;
  private @Nullable NDArray wholeLatents;
  private @Nullable C promptsAlone;
  private final RankFigures figures;

  DenoisingLoop(NDManager request, RankPlan plan, Communicator pipe, Parts<C> parts, Start start) {
    this.request = request;
    this.plan = plan;
    this.stage = parts.stage();
    this.scheduler = parts.scheduler();
    this.guidance = parts.guidance();
    this.contexts = parts.contexts();
    this.skips = parts.skips();
    this.start = start;
    this.segments = parts.segments();
    this.samples = new Samples(request, plan.denoised(), plan.shard(), start.sample());
    this.previews = new Previews(request);
    this.pipe = pipe;
    this.trace = parts.trace();
    this.figures = parts.figures();
    this.timesteps = scheduler.timesteps();
    this.inbox = new Inbox(pipe, pipe.isFirst() ? pipe.size() - 1 : pipe.rank() - 1, messages());
  }

  /**
   * What the loop runs: a stage, its contexts, what is beside the samples, what turns predictions
   * into samples, and who watches time and memory.
   */
  record Parts<C>(
      PipelineStage<C> stage,
      List<BlockContext> contexts,
      LongSkips skips,
      Segments segments,
      Scheduler scheduler,
      Guidance guidance,
      Trace trace,
      RankFigures figures) {}

  /** How many tensors this stage receives. */
  private int messages() {
    if (pipe.size() == 1) {
      return 0;
    }
    int afterTheLastStep = pipe.isFirst() ? plan.spans(plan.steps() - 1).size() : 0;
    return plan.passes() - afterTheLastStep;
  }

  /**
   * Says what the prompts alone are conditioned on, where guidance leads away from fewer layers.
   */
  void prompts(C conditioning) {
    promptsAlone = conditioning;
  }

  /** What each step asks the conditioner for. */
  List<Double> timesteps() {
    return DoubleStream.of(timesteps).boxed().toList();
  }

  /** The step that comes next will be shown. */
  void show() {
    shown = true;
  }

  /** Takes step {@code t}; {@code conditioning} is that of the request. */
  void step(C conditioning, int t) {
    try (NDManager step = request.newSubManager()) {
      enter(t, plan.layout().all());
      C atStep =
          trace.during(
              Activity.CONDITION, () -> stage.conditioner().at(step, conditioning, timesteps[t]));
      for (PatchSpan span : plan.spans(t)) {
        enter(t, span);
        microStep(step, atStep, t, span);
      }
      wholeLatents = null; // owned by the step
    }
    shown = false;
    previews.end();
    trace.enter(null);
  }

  private void enter(int t, PatchSpan span) {
    trace.enter(plan.part(t, span));
  }

  /** The latents' tokens (B, d, c) that this rank owns; only on the last stage. */
  NDArray tokens(NDManager owner) {
    return samples.tokens(owner);
  }

  /** Those (B, d, c) of a step that is to be shown: the picture that its prediction implies. */
  NDArray preview(NDManager owner) {
    NDArray implied = previews.next();
    return implied == null ? tokens(owner) : implied;
  }

  /** The sample of all tokens (B, d, c) that this rank owns; only on the last stage. */
  Sample sample(NDManager owner) {
    return samples.whole(owner);
  }

  private void microStep(NDManager step, C conditioning, int t, PatchSpan span) {
    Place place = new Place(plan.layout().local(span, plan.shard()), span);
    try (NDManager scope = step.newSubManager()) {
      Hidden input =
          pipe.isFirst()
              ? embed(scope, latents(step, scope, t, span), place, conditioning, t)
              : received(inbox.next(scope), place);
      Hidden x =
          trace.during(
              Activity.BLOCKS,
              () -> stage.forward(scope, input, conditioning, contexts, skips.pass(scope)));
      figures.count();
      if (pipe.isLast()) {
        finish(scope, x, conditioning, t);
      } else {
        NDArray text = x.text();
        NDArray image = Torch.contiguous(scope, x.image());
        pipe.send(
            text == null ? List.of(image) : List.of(image, Torch.contiguous(scope, text)),
            pipe.rank() + 1);
      }
    }
  }

  private static Hidden received(List<NDArray> tensors, Place place) {
    Hidden image = new Hidden(tensors.get(0), place);
    return tensors.size() == 1 ? image : image.with(tensors.get(0), tensors.get(1));
  }

  private Hidden embed(NDManager scope, NDArray latents, Place place, C conditioning, int t) {
    return trace.during(Activity.EMBED, () -> embedded(scope, latents, place, conditioning, t));
  }

  private Hidden embedded(NDManager scope, NDArray latents, Place place, C conditioning, int t) {
    NDArray input = // (B, l, c + e), or (2B, l, c + e)
        guidance.batch(scope, input(scope, latents, place, t));
    return entering(scope, input, place, conditioning);
  }

  /** What the model is given (B, l, c + e) in step {@code t}, of all segments. */
  private NDArray input(NDManager scope, NDArray latents, Place place, int t) {
    TokenRange denoised = plan.denoised().local(place.span(), plan.shard());
    NDArray scaled = scheduler.scaleInput(scope, latents, t); // (B, d, c)
    return segments.joined(scope, start.input(scope, scaled, denoised), place.span());
  }

  private Hidden entering(NDManager scope, NDArray input, Place place, C conditioning) {
    NDArray image = stage.embedding().embed(scope, input, place.local(), conditioning); // (B, l, C)
    boolean withText = plan.withText(place.span());
    return new Hidden(image, place)
        .with(image, withText ? stage.conditioner().jointText(conditioning) : null);
  }

  /** The latents (B, d, c) of {@code span} before step {@code t}, on the first stage. */
  private NDArray latents(NDManager step, NDManager scope, int t, PatchSpan span) {
    if (pipe.isLast()) {
      return samples.at(span).tokens();
    }
    TokenRange local = plan.denoised().local(span, plan.shard());
    if (t == plan.from()) {
      return Torch.slice(scope, start.sample().tokens(), 1, local.from(), local.to());
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

  private void finish(NDManager scope, Hidden x, C conditioning, int t) {
    Sample next = trace.during(Activity.HEAD, () -> next(scope, x, conditioning, t));
    if (!pipe.isFirst() && t < plan.steps() - 1) {
      pipe.send(List.of(next.tokens()), 0);
    }
  }

  private Sample next(NDManager scope, Hidden x, C conditioning, int t) {
    PatchSpan span = x.place().span();
    TokenRange local = plan.denoised().local(span, plan.shard());
    NDArray prediction = guided(scope, x, conditioning, t); // (B, d, c)
    if (shown) {
      NDArray implied = scheduler.preview(request, samples.at(span), prediction);
      if (implied != null) {
        previews.parts().add(start.shown(request, implied, local));
      }
    }
    NDArray fresh =
        scheduler.stochastic()
            ? Torch.slice(scope, start.steps().get(t), 1, local.from(), local.to())
            : null;
    return samples.replace(
        span,
        (owner, sample) ->
            start.after(owner, scheduler, scheduler.step(owner, sample, prediction, fresh), local));
  }

  private NDArray guided(NDManager scope, Hidden x, C conditioning, int t) {
    NDArray rows = predicted(scope, x, conditioning); // (B or 2B, d, c)
    NDArray combined = guidance.combine(scope, rows, timesteps[t]);
    LayerGuidance layers = plan.request().guidance().layers();
    if (!layers.at(t, plan.request().scheduler().steps())) {
      return combined;
    }
    WithoutLayers without =
        new WithoutLayers(layers.scale(), owner -> withoutLayers(owner, x.place(), t));
    return guidance.leadAway(scope, combined, rows, without);
  }

  private NDArray predicted(NDManager scope, Hidden x, C conditioning) {
    NDArray all = stage.head().predict(scope, x, conditioning); // of all segments
    return segments.denoised(scope, all, x.place().span());
  }

  /** What the prompts alone predict (B, d, c) without the blocks that guidance leaves out. */
  private NDArray withoutLayers(NDManager scope, Place place, int t) {
    C alone = stage.conditioner().at(scope, Objects.requireNonNull(promptsAlone), timesteps[t]);
    NDArray input = input(scope, samples.at(place.span()).tokens(), place, t);
    Hidden x = entering(scope, input, place, alone);
    PipelineStage<C> fewer = stage.without(plan.request().guidance().layers().blocks());
    return predicted(scope, fewer.forward(scope, x, alone, contexts, skips.pass(scope)), alone);
  }

  /** Bytes of keys and values that this rank keeps. */
  long bufferBytes() {
    return contexts.stream().mapToLong(BlockContext::bufferBytes).sum();
  }
}
