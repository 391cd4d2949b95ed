package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.attention.DisplacedSteps;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.internal.report.RankFigures;
import io.xfuser.internal.trace.Trace;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.torchscript.Torch;
import io.xfuser.trace.TraceEvent.Activity;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.Hidden.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

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
  private final List<BlockContext> contexts;
  private final LongSkips skips;
  private final BlockReuse<C> blocks;
  private final PredictionReuse predictions;
  private final StepMemory memory;
  private final Start start;
  private final TransformerEnds<C> ends;
  private final DisplacedSteps displaced;
  private final Samples samples;
  private final Previews previews;
  private boolean shown; // the step that is being taken
  private final StageMessages stages;
  private final Trace trace;
  private final double[] timesteps;
  private final RankFigures figures;

  DenoisingLoop(NDManager request, RankPlan plan, Communicator pipe, Parts<C> parts, Start start) {
    this.request = request;
    this.plan = plan;
    this.stage = parts.stage();
    this.scheduler = parts.scheduler();
    this.contexts = parts.contexts();
    this.skips = parts.skips();
    StepChoice choice = parts.choice();
    TokenLayout remembered = choice.policy().ofPrediction() ? plan.denoised() : plan.layout();
    this.memory =
        new StepMemory(request, remembered, plan.shard(), choice.policy(), choice.together());
    this.blocks = new BlockReuse<>(stage, contexts, memory, choice);
    this.predictions = new PredictionReuse(plan, memory, choice, parts.guidance());
    this.start = start;
    this.ends = new TransformerEnds<>(plan, parts, start);
    this.displaced = parts.displaced();
    this.samples = new Samples(request, plan.denoised(), plan.shard(), start.sample());
    this.previews = new Previews(request);
    this.stages = new StageMessages(plan, pipe, !choice.policy().ofPrediction());
    this.trace = parts.trace();
    this.figures = parts.figures();
    this.timesteps = scheduler.timesteps();
  }

  /**
   * What the loop runs: a stage, its contexts and the steps that these know of, what is beside the
   * samples, what turns predictions into samples, which steps are spared, and who watches time and
   * memory.
   */
  record Parts<C>(
      PipelineStage<C> stage,
      List<BlockContext> contexts,
      DisplacedSteps displaced,
      LongSkips skips,
      Segments segments,
      Scheduler scheduler,
      Guidance guidance,
      StepChoice choice,
      Trace trace,
      RankFigures figures) {}

  /** Where latents enter the transformer and predictions leave it. */
  TransformerEnds<C> ends() {
    return ends;
  }

  /** The step that comes next will be shown. */
  void show() {
    shown = true;
  }

  /**
   * Takes step {@code t}.
   *
   * @param conditioning that of the request
   * @param begins is told of each span before it is computed
   */
  void step(C conditioning, int t, Consumer<PatchSpan> begins) {
    try (NDManager step = request.newSubManager()) {
      enter(t, plan.layout().all());
      displaced.begin(t);
      C atStep =
          trace.during(
              Activity.CONDITION, () -> stage.conditioner().at(step, conditioning, timesteps[t]));
      if (blocks.waitsForAll() && plan.spans(t).size() > 1) {
        together(step, atStep, t, begins);
      } else {
        for (PatchSpan span : plan.spans(t)) {
          enter(t, span);
          begins.accept(span);
          microStep(step, atStep, t, span);
        }
      }
      stages.stepDone();
    }
    if (t == plan.to() - 1) {
      displaced.end();
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
    try (NDArray implied = previews.next()) { // early on infinite here and there
      return implied == null
          ? tokens(owner)
          : Guidance.Arithmetic.PROGRAM.call(owner, "numbers", implied);
    }
  }

  /** The sample of all tokens (B, d, c) that this rank owns; only on the last stage. */
  Sample sample(NDManager owner) {
    return samples.whole(owner);
  }

  /** All spans of a step on the first stage, where none goes on before all were measured. */
  private void together(NDManager step, C conditioning, int t, Consumer<PatchSpan> begins) {
    List<BlockReuse.Begun> all = new ArrayList<>();
    for (PatchSpan span : plan.spans(t)) {
      enter(t, span);
      Hidden input =
          embed(
              step, latents(step, step, t, span), ends.place(span, conditioning), conditioning, t);
      all.add(during(() -> blocks.begin(step, input, conditioning, skips.pass(step))));
    }
    boolean spared = blocks.spared(step, all, t);
    for (BlockReuse.Begun begun : all) {
      PatchSpan span = begun.hidden().place().span();
      enter(t, span);
      begins.accept(span);
      try (NDManager scope = step.newSubManager()) {
        Hidden x = during(() -> ended(scope, begun, conditioning, spared));
        leave(scope, x, conditioning, t);
      }
    }
  }

  private <T> T during(Supplier<T> inBlocks) {
    return trace.during(Activity.BLOCKS, inBlocks);
  }

  private void microStep(NDManager step, C conditioning, int t, PatchSpan span) {
    Place place = ends.place(span, conditioning);
    try (NDManager scope = step.newSubManager()) {
      NDArray latents = stages.first() ? latents(step, scope, t, span) : null; // (B, d, c)
      if (predictions.spared(t, span)) {
        figures.spared();
        if (stages.last()) {
          finish(scope, place, t, () -> predictions.rows(scope, span, t, scaled(t)));
        }
        return;
      }
      blocks.expectPass();
      Hidden input =
          latents == null
              ? stages.received(scope, place)
              : embed(scope, latents, place, conditioning, t);
      leave(scope, during(() -> passed(scope, input, conditioning, t)), conditioning, t);
    }
  }

  /** After the blocks. */
  private void leave(NDManager scope, Hidden x, C conditioning, int t) {
    figures.count();
    if (t + 1 < plan.to() || x.place().span().to() < plan.layout().patches()) {
      blocks.expectAnother();
    }
    if (stages.last()) {
      finish(scope, x.place(), t, () -> computed(scope, x, conditioning, t));
    } else {
      stages.pass(scope, x);
    }
  }

  private NDArray computed(NDManager scope, Hidden x, C conditioning, int t) {
    NDArray rows = ends.predict(scope, x, conditioning); // (B or 2B, d, c)
    predictions.computed(scope, x.place().span(), t, scaled(t), rows);
    return rows;
  }

  private Hidden passed(NDManager scope, Hidden input, C conditioning, int t) {
    if (!blocks.reuses()) {
      figures.computed();
      return stage.forward(scope, input, conditioning, contexts, skips.pass(scope));
    }
    BlockReuse.Begun begun = blocks.begin(scope, input, conditioning, skips.pass(scope));
    return ended(scope, begun, conditioning, blocks.spared(scope, List.of(begun), t));
  }

  private Hidden ended(NDManager scope, BlockReuse.Begun begun, C conditioning, boolean spared) {
    BlockReuse.Passed passed = blocks.end(scope, begun, conditioning, spared);
    if (passed.spared()) {
      figures.spared();
    } else {
      figures.computed();
    }
    return passed.hidden();
  }

  /** The latents as step {@code t} takes them, on the last stage. */
  private PredictionReuse.Latents scaled(int t) {
    return (owner, span) -> scheduler.scaleInput(owner, samples.at(span).tokens(), t);
  }

  private Hidden embed(NDManager scope, NDArray latents, Place place, C conditioning, int t) {
    return trace.during(Activity.EMBED, () -> ends.embed(scope, latents, place, conditioning, t));
  }

  /** The latents (B, d, c) of {@code span} before step {@code t}, on the first stage. */
  private NDArray latents(NDManager step, NDManager scope, int t, PatchSpan span) {
    return stages.last()
        ? samples.at(span).tokens()
        : stages.latents(step, scope, t, span, start.sample().tokens());
  }

  /** Takes the solver's step with the transformer's {@code rows} (B or 2B, d, c). */
  private void finish(NDManager scope, Place place, int t, Supplier<NDArray> rows) {
    Sample next = trace.during(Activity.HEAD, () -> next(scope, place, rows.get(), t));
    stages.back(next.tokens(), t);
    predictions.choose(scope, place.span(), t, scaled(t + 1));
  }

  private Sample next(NDManager scope, Place place, NDArray rows, int t) {
    PatchSpan span = place.span();
    TokenRange local = plan.denoised().local(span, plan.shard());
    NDArray latents = samples.at(span).tokens();
    NDArray prediction = ends.guided(scope, new TransformerEnds.Rows(rows, latents, place), t);
    if (shown) {
      NDArray implied = scheduler.preview(scope, samples.at(span), prediction);
      if (implied != null) {
        previews.add(start.shown(scope, implied, local));
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

  /** Bytes of keys and values that this rank keeps, and of what its step cache does. */
  long bufferBytes() {
    return memory.bytes() + contexts.stream().mapToLong(BlockContext::bufferBytes).sum();
  }
}
