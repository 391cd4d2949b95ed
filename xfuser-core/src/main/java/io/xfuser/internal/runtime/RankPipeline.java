package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.internal.device.DeviceClock.Mark;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.model.GivenTensors;
import io.xfuser.nn.Patchify;
import io.xfuser.nn.Range;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.progress.Progress;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.trace.TraceEvent.Activity;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.TransformerSpec;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.LongStream;
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
  private final DecodeStage decoding;
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
    this.decoding = decoding;
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

  /**
   * What it takes to take steps.
   *
   * @param text of both prompts
   */
  private record Ready<C>(
      PipelineStage<C> stage, DenoisingLoop<C> loop, C conditioning, Map<String, NDArray> text) {}

  @Override
  public @Nullable RankPictures pictures(StepGate gate) {
    if ((next < plan.steps() && !denoised(gate)) || !gate.enter(next)) {
      return null;
    }
    return decode(() -> ready == null ? sample(request).tokens() : ready.loop().tokens(request));
  }

  /** Takes steps; whether none is left. */
  private boolean denoised(StepGate gate) {
    Ready<C> all = ready == null ? prepared() : ready;
    ready = all;
    TensorMap.Hold inUse = all.stage().hold();
    try (inUse) {
      denoise(all, gate);
    }
    run.figures().kept(all.loop().bufferBytes());
    return next == plan.steps();
  }

  private Ready<C> prepared() {
    GivenTensors typed = given.tensors().cast(request, runtime.dtype());
    PipelineStage<C> stage = stage();
    Guidance guidance = Guidance.of(plan, groups);
    Supplier<DenoisingLoop<C>> prepare =
        () -> run.trace().during(Activity.PREPARE, () -> loop(stage, guidance, typed));
    boolean waits = prompts().encodes() || plan.request().encodesPictures();
    Optional<DenoisingLoop<C>> early = // while another rank encodes the prompt
        waits ? Optional.empty() : Optional.of(prepare.get());
    Map<String, NDArray> text = text(typed);
    DenoisingLoop<C> loop = early.orElseGet(prepare);
    TensorMap.Hold inUse = stage.hold();
    try (inUse) {
      if (!plan.request().guidance().layers().blocks().isEmpty()) {
        loop.ends()
            .prompts(condition(stage, new Guidance.None().texts(request, text), loop.timesteps()));
      }
      C conditioning = condition(stage, guidance.texts(request, text), loop.timesteps());
      return new Ready<>(stage, loop, conditioning, text);
    }
  }

  /** This rank's blocks, with the embedding on the first stage and the head on the last. */
  private PipelineStage<C> stage() {
    run.activity("loading the transformer");
    Mark start = run.figures().mark();
    PipelineStage<C> stage =
        run.trace()
            .during(Activity.LOAD, () -> run.loads(pipeline).stage(plan.blocks(), plan.share()));
    run.figures().loaded(start);
    run.figures().transformer(stage.parameterBytes());
    return stage.without(pipeline.model().leftOut(plan.request()));
  }

  /** The text tensors of both prompts, on this rank's device. */
  private Map<String, NDArray> text(GivenTensors given) {
    run.activity("encoding the prompt");
    Mark start = run.figures().mark();
    Map<String, NDArray> both =
        run.trace().during(Activity.TEXT, () -> prompts().of(request, given));
    run.figures().textEncoded(start);
    run.figures().look();
    both.replaceAll((name, tensor) -> Torch.to(request, tensor, run.world().device()));
    return both;
  }

  private PromptTensors prompts() {
    return new PromptTensors(run, pipeline, plan, groups.replica());
  }

  private C condition(PipelineStage<C> stage, Map<String, NDArray> text, List<Double> timesteps) {
    List<Long> positions = LongStream.of(plan.layout().positions(plan.shard())).boxed().toList();
    ConditionInput input = new ConditionInput(text, plan.request().picture(), positions, timesteps);
    return run.trace().during(Activity.CONDITION, () -> stage.conditioner().begin(request, input));
  }

  private DenoisingLoop<C> loop(PipelineStage<C> stage, Guidance guidance, GivenTensors typed) {
    Scheduler scheduler = pipeline.model().scheduler(plan.request().scheduler());
    TransformerSpec<C> spec = pipeline.transformer().spec();
    StartStage starting = new StartStage(run, run.loads(pipeline), plan);
    Start start = starting.start(scheduler, typed);
    StepChoice choice = StepChoice.of(run.engine().model(), pipeline.model(), plan, groups);
    RankGroups.Asked asked = RankGroups.Asked.of(request, plan, run.engine());
    return new DenoisingLoop<>(
        request,
        plan,
        groups.pipeline(),
        new DenoisingLoop.Parts<>(
            stage,
            groups.contexts(asked, spec, run.figures()),
            asked.steps(),
            LongSkips.of(spec, plan, groups.skips(), choice.policy().none()),
            new Segments(plan.layout(), plan.shard(), starting.references()),
            scheduler,
            guidance,
            choice,
            run.trace(),
            run.figures()),
        given.midway() == null ? start : start.from(sample(request)));
  }

  private void denoise(Ready<C> all, StepGate gate) {
    lastStep = System.nanoTime();
    if (next == plan.from()) {
      tellOfStep(next);
    }
    boolean selects = run.engine().parallel().selectiveV() > 0; // others in each step
    StepCourse course =
        new StepCourse(
            run.figures(),
            t -> {
              run.activity("in " + plan.phase(t) + " " + (t + 1) + " of " + plan.steps());
              run.world().transport().step(plan.kind(t) + (selects ? " in step " + t : ""));
              if (decoding.showsAfter(t + 1)) {
                all.loop().show();
              }
              all.loop().step(all.conditioning(), t, span -> begin(t, span));
              run.world().transport().step(null);
            },
            t -> done(all.loop(), t));
    next = course.take(new Range(next, plan.steps()), gate, run.figures()::look);
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
        run.progress(new Progress.Preview(t + 1, plan.steps(), shown));
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
    Communicator shards = groups.shards();
    NDArray own = tokens.get();
    if (!shards.isFirst()) {
      shards.send(List.of(own), 0);
      return decoding.follow(request);
    }
    run.activity("gathering latents");
    try (NDManager scope = request.newSubManager()) {
      List<NDArray> all = new ArrayList<>(List.of(own));
      for (int shard = 1; shard < shards.size(); shard++) {
        all.add(shards.receive(shard).await(scope).singletonOrThrow());
      }
      NDArray whole = Patchify.assemble(scope, all, plan.denoised()); // (B·F, L, c)
      return decoding.finish(scope, whole, plan.images(), groups.decoders());
    }
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
