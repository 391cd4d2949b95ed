package io.xfuser.pipeline;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.nn.Patchify;
import io.xfuser.parallel.Communicator;
import io.xfuser.pipeline.Guidance.Arithmetic;
import io.xfuser.pipeline.Progress.Phase;
import io.xfuser.pipeline.RankResult.Decoded;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.torchscript.DeviceClock.Mark;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.TensorList;
import io.xfuser.torchscript.Torch;
import io.xfuser.trace.Activity;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Shared;
import io.xfuser.weights.Share;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.LongStream;

/**
 * One rank's way through one request: text, noise, denoising, decoding.
 *
 * @param <C> the model's conditioning
 */
final class RankPipeline<C> {
  private final PlacedPipeline<C> pipeline;
  private final EngineConfig engine;
  private final RankRun run;
  private final RankPlan plan;
  private final RankGroups groups;
  private final RankDecoding decoding;
  private final StepTicks ticks;
  private final Device device;

  RankPipeline(PlacedPipeline<C> pipeline, RankRun run, RankPlan plan) {
    this.pipeline = pipeline;
    this.engine = run.engine();
    this.run = run;
    this.plan = plan;
    this.groups = RankGroups.of(run.world(), plan);
    this.decoding = RankDecoding.of(run, pipeline, plan.request());
    this.ticks = StepTicks.of(run.world(), decoding.ranks());
    this.device = pipeline.placement().device();
  }

  /** Runs the request; all ranks return together. */
  RankResult run(GivenTensors callers) {
    try (NDManager request = Torch.newManager()) {
      GivenTensors given = callers.cast(request, engine.runtime().dtype());
      Mark start = run.mark();
      run.activity("loading the transformer");
      PipelineStage<C> stage =
          run.trace()
              .during(
                  Activity.LOAD,
                  () ->
                      PipelineStage.of(
                          pipeline.transformer(),
                          new PipelineStage.Range(
                              plan.blocks(), plan.share(), engine.runtime().offload()),
                          (done, total) -> run.progress(Phase.LOADING_TRANSFORMER, done, total)));
      run.times().loaded(start);
      Guidance guidance = Guidance.of(plan, groups);
      Supplier<DenoisingLoop<C>> prepare =
          () -> run.trace().during(Activity.PREPARE, () -> loop(request, stage, guidance, given));
      Optional<DenoisingLoop<C>> early = // while another rank encodes
          prompts().encodes() ? Optional.empty() : Optional.of(prepare.get());
      Map<String, NDArray> text = text(request, guidance, given);
      DenoisingLoop<C> loop = early.orElseGet(prepare);
      TensorList.Hold inUse = stage.hold();
      try (inUse) {
        C conditioning = condition(request, stage, text);
        denoise(request, loop, conditioning);
      }
      Decoded decoded = decode(request, loop);
      run.memory().look();
      return run.result(request, decoded, held(stage, loop));
    }
  }

  /** This rank's text tensors, on its device. */
  private Map<String, NDArray> text(NDManager request, Guidance guidance, GivenTensors given) {
    run.activity("encoding the prompt");
    Mark start = run.mark();
    Map<String, NDArray> both =
        run.trace().during(Activity.TEXT, () -> prompts().of(request, this::encoder, given));
    run.times().textEncoded(start);
    run.memory().look();
    both.replaceAll((name, tensor) -> Torch.to(request, tensor, device));
    return guidance.texts(request, both);
  }

  private C condition(NDManager request, PipelineStage<C> stage, Map<String, NDArray> text) {
    List<Long> positions = LongStream.of(plan.layout().positions(plan.shard())).boxed().toList();
    ConditionInput input = new ConditionInput(text, plan.request().picture(), positions);
    return run.trace().during(Activity.CONDITION, () -> stage.conditioner().begin(request, input));
  }

  private PromptTensors prompts() {
    return new PromptTensors(
        plan,
        groups.replica(),
        engine.runtime().shardT5Encoder(),
        (done, total) -> run.progress(Phase.ENCODING, done, total));
  }

  private Shared.Lease<TextEncoder> encoder(Share share) {
    Shared.Lease<TextEncoder> lease =
        run.loaded(Phase.LOADING_TEXT_ENCODER, pipeline.textEncoder(share));
    run.times().textEncoder(lease.get().parameterBytes());
    return lease;
  }

  private DenoisingLoop<C> loop(
      NDManager request, PipelineStage<C> stage, Guidance guidance, GivenTensors given) {
    Scheduler scheduler = pipeline.model().scheduler(plan.request().scheduler());
    ElementType type = engine.runtime().dtype();
    Noise drawn =
        Noise.draw(
            request,
            plan,
            new Noise.Draws(
                type, scheduler.stochastic() ? plan.steps() : 0, scheduler.noiseType(type)),
            new Noise.Given(given.latents(), device));
    NDArray initial = // (B, l, c)
        Arithmetic.PROGRAM.call(request, "scale", drawn.initial(), scheduler.initialNoiseSigma());
    TensorGauge gauge = new TensorGauge(request);
    return new DenoisingLoop<>(
        request,
        plan,
        groups.pipeline(),
        new DenoisingLoop.Parts<>(
            stage,
            groups.contexts(
                request,
                plan,
                pipeline.transformer().spec(),
                engine.runtime().attentionBackend(),
                gauge),
            new LongSkips(
                pipeline.transformer().spec(), plan.stages(), groups.skips(), plan.passes()),
            scheduler,
            guidance,
            run.trace(),
            gauge),
        new Noise(initial, drawn.steps()));
  }

  private void denoise(NDManager request, DenoisingLoop<C> loop, C conditioning) {
    new StepCourse(
            run.times(),
            t -> {
              run.activity("in " + plan.phase(t) + " " + (t + 1) + " of " + plan.steps());
              loop.step(conditioning, t);
            },
            t -> done(request, t))
        .take(plan.steps(), run.memory()::look);
  }

  private void done(NDManager request, int t) {
    run.world().transport().check(); // a GPU comes to the end of what was aborted, too
    ticks.tell(request);
    if (plan.rank() == 0 && !run.watch().stepTaken(t + 1, plan.steps())) {
      throw run.cancel("cancelled after step " + (t + 1) + " of " + plan.steps());
    }
  }

  /** Gathers the latents on the first of the ranks that hold them, which sees to their decoding. */
  private Decoded decode(NDManager request, DenoisingLoop<C> loop) {
    if (!plan.shardRanks().contains(decoding.ranks().source(plan.rank()))) {
      return decoding.follow(request); // others have the same latents
    }
    Communicator shards = groups.shards();
    NDArray own = loop.tokens(request); // (B, l, c)
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
      NDArray tokens = Patchify.assemble(scope, all, plan.layout()); // (B·F, L, c)
      return decoding.finish(scope, tokens, plan.images(), groups.decoders());
    }
  }

  private RankReport.Held held(PipelineStage<C> stage, DenoisingLoop<C> loop) {
    return new RankReport.Held(
        stage.parameterBytes(),
        loop.bufferBytes(),
        loop.gauge(),
        Torch.name(device),
        run.memory().peak());
  }
}
