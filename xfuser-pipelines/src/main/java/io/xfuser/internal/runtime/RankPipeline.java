package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.config.Settings.Compression;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.internal.device.DeviceClock.Mark;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.plan.MemoryNeed;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.internal.runtime.LoopStage.Ready;
import io.xfuser.model.GivenTensors;
import io.xfuser.model.LatentShape;
import io.xfuser.nn.Patchify;
import io.xfuser.nn.Range;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.progress.Progress;
import io.xfuser.scheduler.Sample;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.trace.TraceEvent.Activity;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One rank's way through one request: text, noise, denoising, decoding.
 *
 * @param <C> the model's conditioning
 */
final class RankPipeline<C> implements RankCourse.Work {
  private static final double NANOS = 1e9;

  private final PlacedPipeline<C> pipeline;
  private final RuntimeConfig runtime;
  private final RankRun run;
  private final NDManager request;
  private final RankPlan plan;
  private final RankGroups groups;
  private final LoopStage<C> loops;
  private final DecodeStage decoding;
  private final Sketches sketches;
  private final Given given;
  private @Nullable Ready<C> ready; // once a step can be taken
  private int next; // step
  private long lastStep;

  private RankPipeline(PlacedPipeline<C> pipeline, RankRun run, DecodeStage decoding, Given given) {
    this.pipeline = pipeline;
    this.runtime = run.engine().runtime();
    this.run = run;
    this.request = run.tensors();
    this.plan = run.plan().denoising().get(run.rank());
    this.groups = RankGroups.of(run.world(), plan, run.engine().parallel());
    this.loops = new LoopStage<>(pipeline, run, plan, groups);
    this.decoding = decoding;
    this.sketches = new Sketches(plan, pipeline.model().colors());
    Midway midway = given.midway();
    this.given = midway == null ? given : new Given(midway.with(given.tensors()), midway);
    this.next = plan.from();
  }

  /** On a rank that denoises, with nothing done yet. */
  static <C> RankPipeline<C> of(
      PlacedPipeline<C> pipeline, RankRun run, DecodeStage decoding, Given given) {
    return new RankPipeline<>(pipeline, run, decoding, given);
  }

  /**
   * What does not come from the request.
   *
   * @param tensors the caller's, and prompts that others have encoded
   * @param midway where others left off; null if nobody began
   */
  record Given(GivenTensors tensors, @Nullable Midway midway) {}

  @Override
  public @Nullable RankPictures pictures(StepGate gate) {
    if ((next < plan.steps() && !denoised(gate)) || !gate.enter(next)) {
      return null;
    }
    return decode(() -> ready == null ? sample(request).tokens() : ready.loop().tokens(request));
  }

  /** Takes steps; whether none is left. */
  private boolean denoised(StepGate gate) {
    Ready<C> all = ready == null ? first() : ready;
    ready = all;
    take(all, gate);
    while (next == all.end() && next < plan.steps() && gate.enter(next)) {
      all = loops.after(all);
      ready = all;
      take(all, gate);
    }
    return next == plan.steps();
  }

  /** Takes the steps of a phase. */
  private void take(Ready<C> all, StepGate gate) {
    TensorMap.Hold inUse = all.stage().hold();
    try (inUse) {
      denoise(all, gate);
    }
    run.figures().kept(all.loop().bufferBytes());
  }

  private Ready<C> first() {
    GivenTensors typed = given.tensors().cast(request, runtime.dtype());
    boolean waits = prompts().encodes() || plan.request().encodesPictures();
    Sample begun = given.midway() == null ? null : sample(request);
    return loops.first(typed, begun, !waits, () -> text(typed)); // if another rank encodes, early
  }

  /** The text tensors of both prompts, on this rank's device. */
  private Map<String, NDArray> text(GivenTensors given) {
    run.activity(MemoryNeed.TEXT);
    Mark start = run.figures().mark();
    Map<String, NDArray> both =
        run.trace().during(Activity.TEXT, () -> prompts().of(request, given));
    run.figures().textEncoded(start);
    run.figures().look();
    both.replaceAll((name, tensor) -> Torch.to(request, tensor, run.world().device()));
    return both;
  }

  private PromptTensors prompts() {
    return new PromptTensors(
        run, pipeline, plan, groups.replica(), given.tensors().seen().embeds() == null);
  }

  private void denoise(Ready<C> all, StepGate gate) {
    lastStep = System.nanoTime();
    if (next == plan.from()) {
      tellOfStep(next);
    }
    ParallelConfig degrees = run.engine().parallel();
    boolean varies = // what is sent in each step
        degrees.selectiveV() > 0 || degrees.compactCompressType() != Compression.NONE;
    StepCourse course =
        new StepCourse(
            run.figures(),
            t -> {
              run.activity("in " + plan.phase(t) + " " + (t + 1) + " of " + plan.steps());
              run.world().transport().step(plan.kind(t) + (varies ? " in step " + t : ""));
              if (hasLatents() && (decoding.showsAfter(t + 1) || sketches.after(t + 1))) {
                all.loop().show();
              }
              all.loop().step(all.conditioning(), t, span -> begin(t, span));
              run.world().transport().step(null);
            },
            t -> done(all.loop(), t));
    next = course.take(new Range(next, all.end()), gate, run.figures()::look);
  }

  /** A cache may spare a patch and not the next one: then each has rounds of its own. */
  private void begin(int t, PatchSpan span) {
    if (plan.request().input().cache() != StepCache.NONE && plan.spans(t).size() > 1) {
      run.world().transport().step(plan.kind(t) + " from " + span.from());
    }
  }

  private void done(DenoisingLoop<C> loop, int t) {
    run.world().transport().check(); // a GPU comes to the end of what was aborted, too
    decoding.stepDone(request);
    tellOfStep(t + 1);
    if (decoding.showsAfter(t + 1)) {
      List<BufferedImage> shown =
          decode(() -> loop.preview(request)).images().stream()
              .map(x -> (BufferedImage) x.getWrappedImage())
              .toList();
      if (!shown.isEmpty()) {
        LatentShape shape = plan.request().latents();
        run.progress(
            new Progress.Preview(t + 1, plan.steps(), shown, shape.pixelFrames(), shape.fps()));
      }
    } else if (sketches.after(t + 1) && hasLatents()) {
      try (NDManager scope = request.newSubManager()) {
        NDArray whole = gathered(scope, loop.preview(scope));
        if (whole != null) {
          run.progress(sketches.of(scope, whole, t + 1));
        }
      }
    }
  }

  private void tellOfStep(int done) {
    if (plan.rank() == 0) {
      long now = System.nanoTime();
      double seconds = done == plan.from() ? 0 : (now - lastStep) / NANOS;
      lastStep = now;
      run.progress(new Progress.Denoising(done, plan.steps(), seconds));
    }
  }

  /**
   * Gathers latents on the first of the ranks that hold them, which sees to their decoding.
   *
   * @param tokens what this rank has of them (B, l, c), if it has any
   */
  private RankPictures decode(Supplier<NDArray> tokens) {
    if (!hasLatents()) {
      return decoding.follow(request); // others have the same latents
    }
    try (NDManager scope = request.newSubManager()) {
      NDArray whole = gathered(scope, tokens.get());
      return whole == null
          ? decoding.follow(request)
          : decoding.finish(scope, whole, plan.images(), groups.decoders());
    }
  }

  /**
   * The latents' tokens (B·F, L, c) on the first of the ranks that hold {@code own} parts of them
   * (B, l, c), null on the others.
   */
  private @Nullable NDArray gathered(NDManager scope, NDArray own) {
    Communicator shards = groups.shards();
    if (!shards.isFirst()) {
      shards.send(List.of(own), 0);
      return null;
    }
    run.activity("gathering latents");
    List<NDArray> all = new ArrayList<>(List.of(own));
    for (int shard = 1; shard < shards.size(); shard++) {
      all.add(shards.receive(shard).await(scope).singletonOrThrow());
    }
    return Patchify.assemble(scope, all, plan.denoised());
  }

  private boolean hasLatents() {
    return plan.shardRanks().contains(run.plan().source(plan.rank()));
  }

  /** What this rank has of the latents: where its loop is, or where another layout left off. */
  private Sample sample(NDManager owner) {
    return ready == null
        ? Objects.requireNonNull(given.midway()).of(owner, plan, run.world().device())
        : ready.loop().sample(owner);
  }

  @Override
  public void describe(Midway.Builder midway) {
    try (NDManager scope = request.newSubManager()) {
      if (hasLatents()) {
        midway.sample(plan.rank(), sample(scope));
      }
      if (ready != null) {
        midway.text(plan, ready.text());
      }
    }
  }
}
