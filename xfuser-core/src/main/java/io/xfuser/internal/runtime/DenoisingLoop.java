package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.internal.report.RankFigures;
import io.xfuser.internal.trace.Trace;
import io.xfuser.model.GenerationRequest.LayerGuidance;
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
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;
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
  private final BlockReuse<C> blocks;
  private final PredictionReuse predictions;
  private final StepMemory memory;
  private final Start start;
  private final Segments segments;
  private final Samples samples;
  private final Previews previews;
  private boolean shown; // the step that is being taken
  private final StageMessages stages;
  private final Trace trace;
  private final double[] timesteps;
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
    StepChoice choice = parts.choice();
    TokenLayout remembered = choice.policy().ofPrediction() ? plan.denoised() : plan.layout();
    this.memory = new StepMemory(request, remembered, plan.shard(), choice.policy());
    this.blocks = new BlockReuse<>(stage, contexts, memory, choice);
    this.predictions = new PredictionReuse(plan, memory, choice, guidance);
    this.start = start;
    this.segments = parts.segments();
    this.samples = new Samples(request, plan.denoised(), plan.shard(), start.sample());
    this.previews = new Previews(request);
    this.stages = new StageMessages(plan, pipe, !choice.policy().ofPrediction());
    this.trace = parts.trace();
    this.figures = parts.figures();
    this.timesteps = scheduler.timesteps();
  }

  /**
   * What the loop runs: a stage, its contexts, what is beside the samples, what turns predictions
   * into samples, which steps are spared, and who watches time and memory.
   */
  record Parts<C>(
      PipelineStage<C> stage,
      List<BlockContext> contexts,
      LongSkips skips,
      Segments segments,
      Scheduler scheduler,
      Guidance guidance,
      StepChoice choice,
      Trace trace,
      RankFigures figures) {}

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

  /**
   * Takes step {@code t}.
   *
   * @param conditioning that of the request
   * @param begins is told of each span before it is computed
   */
  void step(C conditioning, int t, Consumer<PatchSpan> begins) {
    try (NDManager step = request.newSubManager()) {
      enter(t, plan.layout().all());
      C atStep =
          trace.during(
              Activity.CONDITION, () -> stage.conditioner().at(step, conditioning, timesteps[t]));
      for (PatchSpan span : plan.spans(t)) {
        enter(t, span);
        begins.accept(span);
        microStep(step, atStep, t, span);
      }
      stages.stepDone();
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
    NDArray implied = previews.next(); // early on infinite here and there
    return implied == null
        ? tokens(owner)
        : Guidance.Arithmetic.PROGRAM.call(owner, "numbers", implied);
  }

  /** The sample of all tokens (B, d, c) that this rank owns; only on the last stage. */
  Sample sample(NDManager owner) {
    return samples.whole(owner);
  }

  private void microStep(NDManager step, C conditioning, int t, PatchSpan span) {
    Place place = new Place(plan.layout().local(span, plan.shard()), span);
    try (NDManager scope = step.newSubManager()) {
      NDArray latents = stages.first() ? latents(step, scope, t, span) : null; // (B, d, c)
      if (predictions.spared(t, span)) {
        figures.spared();
        if (stages.last()) {
          finish(scope, place, t, () -> predictions.rows(scope, span, t, scaled(t)));
        }
        return;
      }
      Hidden input =
          latents == null
              ? stages.received(scope, place)
              : embed(scope, latents, place, conditioning, t);
      Hidden x = trace.during(Activity.BLOCKS, () -> passed(scope, input, conditioning, t));
      figures.count();
      if (stages.last()) {
        finish(scope, place, t, () -> computed(scope, x, conditioning, t));
      } else {
        stages.pass(scope, x);
      }
    }
  }

  private NDArray computed(NDManager scope, Hidden x, C conditioning, int t) {
    NDArray rows = predicted(scope, x, conditioning); // (B or 2B, d, c)
    predictions.computed(scope, x.place().span(), t, scaled(t), rows);
    return rows;
  }

  private Hidden passed(NDManager scope, Hidden input, C conditioning, int t) {
    if (!blocks.reuses()) {
      return stage.forward(scope, input, conditioning, contexts, skips.pass(scope));
    }
    BlockReuse.Passed passed = blocks.forward(scope, input, conditioning, skips.pass(scope), t);
    if (passed.spared()) {
      figures.spared();
    }
    return passed.hidden();
  }

  /** The latents as step {@code t} takes them, on the last stage. */
  private PredictionReuse.Latents scaled(int t) {
    return (owner, span) -> scheduler.scaleInput(owner, samples.at(span).tokens(), t);
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
    NDArray prediction = guided(scope, place, rows, t); // (B, d, c)
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

  private NDArray guided(NDManager scope, Place place, NDArray rows, int t) {
    NDArray combined = guidance.combine(scope, rows, timesteps[t]);
    LayerGuidance layers = plan.request().guidance().layers();
    if (!layers.at(t, plan.request().scheduler().steps())) {
      return combined;
    }
    WithoutLayers without =
        new WithoutLayers(layers.scale(), owner -> withoutLayers(owner, place, t));
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

  /** Bytes of keys and values that this rank keeps, and of what its step cache does. */
  long bufferBytes() {
    return memory.bytes() + contexts.stream().mapToLong(BlockContext::bufferBytes).sum();
  }
}
