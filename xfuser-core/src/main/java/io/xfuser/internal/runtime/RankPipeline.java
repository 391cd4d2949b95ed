package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.internal.device.DeviceClock.Mark;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.internal.runtime.Guidance.Arithmetic;
import io.xfuser.model.GivenTensors;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeEncoder;
import io.xfuser.nn.Patchify;
import io.xfuser.progress.Progress;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.trace.Activity;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Share;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.LongStream;

/**
 * One rank's way through one request: text, noise, denoising, decoding.
 *
 * @param <C> the model's conditioning
 */
public final class RankPipeline<C> {
  private static final double NANOS = 1e9;

  private final PlacedPipeline<C> pipeline;
  private final RuntimeConfig runtime;
  private final RankRun run;
  private final NDManager request;
  private final RankPlan plan;
  private final RankGroups groups;
  private final DecodeStage decoding;
  private long lastStep;

  private RankPipeline(PlacedPipeline<C> pipeline, RankRun run, DecodeStage decoding) {
    this.pipeline = pipeline;
    this.runtime = run.engine().runtime();
    this.run = run;
    this.request = run.tensors();
    this.plan = run.plan().denoising().get(run.rank());
    this.groups = RankGroups.of(run.world(), plan);
    this.decoding = decoding;
  }

  /** Does one rank's part of the request; all ranks return together. */
  public static RankResult run(PlacedPipeline<?> pipeline, RankRun run, GivenTensors given) {
    DecodeStage decoding = new DecodeStage(run, run.loads(pipeline));
    RankPictures pictures =
        run.rank() < run.plan().denoising().size()
            ? new RankPipeline<>(pipeline, run, decoding).pictures(given)
            : decoding.alone(run.tensors());
    run.figures().look();
    return run.finish(pictures);
  }

  private RankPictures pictures(GivenTensors callers) {
    GivenTensors given = callers.cast(request, runtime.dtype());
    PipelineStage<C> stage = stage();
    Guidance guidance = Guidance.of(plan, groups);
    Supplier<DenoisingLoop<C>> prepare =
        () -> run.trace().during(Activity.PREPARE, () -> loop(stage, guidance, given));
    boolean waits = prompts().encodes() || plan.request().encodesPictures();
    Optional<DenoisingLoop<C>> early = // while another rank encodes the prompt
        waits ? Optional.empty() : Optional.of(prepare.get());
    Map<String, NDArray> text = text(given);
    DenoisingLoop<C> loop = early.orElseGet(prepare);
    TensorMap.Hold inUse = stage.hold();
    try (inUse) {
      if (!plan.request().guidance().layers().blocks().isEmpty()) {
        loop.prompts(condition(stage, new Guidance.None().texts(request, text)));
      }
      denoise(loop, condition(stage, guidance.texts(request, text)));
    }
    run.figures().kept(loop.bufferBytes());
    return decode(loop);
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
        run.trace().during(Activity.TEXT, () -> prompts().of(request, this::encoder, given));
    run.figures().textEncoded(start);
    run.figures().look();
    both.replaceAll((name, tensor) -> Torch.to(request, tensor, run.world().device()));
    return both;
  }

  private PromptTensors prompts() {
    return new PromptTensors(
        plan,
        groups.replica(),
        runtime.shardTextEncoder(),
        (done, total) -> run.progress(new Progress.Encoding(done, total)));
  }

  private Shared.Lease<TextEncoder> encoder(Share share) {
    Shared.Lease<TextEncoder> lease = run.loads(pipeline).textEncoder(share);
    run.figures().textEncoder(lease.get().parameterBytes());
    return lease;
  }

  private C condition(PipelineStage<C> stage, Map<String, NDArray> text) {
    List<Long> positions = LongStream.of(plan.layout().positions(plan.shard())).boxed().toList();
    ConditionInput input = new ConditionInput(text, plan.request().picture(), positions);
    return run.trace().during(Activity.CONDITION, () -> stage.conditioner().begin(request, input));
  }

  private DenoisingLoop<C> loop(PipelineStage<C> stage, Guidance guidance, GivenTensors given) {
    Scheduler scheduler = pipeline.model().scheduler(plan.request().scheduler());
    TransformerSpec<C> spec = pipeline.transformer().spec();
    return new DenoisingLoop<>(
        request,
        plan,
        groups.pipeline(),
        new DenoisingLoop.Parts<>(
            stage,
            groups.contexts(request, plan, spec, runtime.attentionBackend(), run.figures()),
            new LongSkips(spec, plan.stages(), groups.skips(), plan.passes()),
            new Segments(plan.layout(), plan.shard(), references()),
            scheduler,
            guidance,
            run.trace(),
            run.figures()),
        start(scheduler, given));
  }

  /** The tokens (B, r, c) that this rank has of each picture that is referred to. */
  private List<NDArray> references() {
    return plan.request().seen().isEmpty()
        ? List.of()
        : encoded(x -> x.references(request, run.world().device(), this::pictureEncoder));
  }

  private <T> T encoded(Function<PictureTensors, T> made) {
    run.activity("encoding the picture");
    Mark start = run.figures().mark();
    T tensors = made.apply(pictureTensors());
    run.figures().pictureEncoded(start);
    return tensors;
  }

  private Start start(Scheduler scheduler, GivenTensors given) {
    ElementType type = runtime.dtype();
    Noise drawn =
        Noise.draw(
            request,
            plan,
            new Noise.Draws(
                type, scheduler.stochastic() ? plan.steps() : 0, scheduler.noiseType(type)),
            new Noise.Given(given.latents(), run.world().device()));
    if (plan.request().pictures() != null) {
      boolean whole = given.latents() != null;
      return encoded(x -> x.start(request, drawn, whole, scheduler, this::pictureEncoder));
    }
    NDArray initial = // (B, l, c)
        Arithmetic.PROGRAM.call(request, "scale", drawn.initial(), scheduler.initialNoiseSigma());
    return Start.of(new Noise(initial, drawn.steps(), List.of()));
  }

  private PictureTensors pictureTensors() {
    List<Integer> all = plan.mesh().replica(plan.rank());
    List<Integer> encoding = plan.encoding(runtime.useParallelVae());
    return new PictureTensors(
        plan,
        run.world().group(Channel.VAE, all),
        encoding.contains(plan.rank()) ? run.world().group(Channel.VAE, encoding) : null,
        new VaeDecoder.DecodeOptions(
            runtime.enableSlicing(),
            runtime.enableTiling(),
            1,
            false,
            (done, total) -> run.progress(new Progress.EncodingPicture(done, total))),
        runtime.dtype());
  }

  private Shared.Lease<VaeEncoder> pictureEncoder() {
    Shared.Lease<VaeEncoder> lease = run.loads(pipeline).encoder();
    run.figures().vaeEncoder(lease.get().parameterBytes());
    return lease;
  }

  private void denoise(DenoisingLoop<C> loop, C conditioning) {
    tellOfStep(0);
    new StepCourse(
            run.figures(),
            t -> {
              run.activity("in " + plan.phase(t) + " " + (t + 1) + " of " + plan.steps());
              loop.step(conditioning, t);
            },
            t -> done(loop, t))
        .take(plan.steps(), run.figures()::look);
  }

  private void done(DenoisingLoop<C> loop, int t) {
    run.world().transport().check(); // a GPU comes to the end of what was aborted, too
    decoding.stepDone(request);
    tellOfStep(t + 1);
    if (decoding.showsAfter(t + 1)) {
      List<BufferedImage> shown =
          decode(loop).images().stream().map(x -> (BufferedImage) x.getWrappedImage()).toList();
      if (!shown.isEmpty()) {
        run.progress(new Progress.Preview(t + 1, plan.steps(), shown));
      }
    }
  }

  private void tellOfStep(int done) {
    if (plan.rank() == 0) {
      long now = System.nanoTime();
      double seconds = done == 0 ? 0 : (now - lastStep) / NANOS;
      lastStep = now;
      run.progress(new Progress.Denoising(done, plan.steps(), seconds));
    }
  }

  /** Gathers the latents on the first of the ranks that hold them, which sees to their decoding. */
  private RankPictures decode(DenoisingLoop<C> loop) {
    if (!plan.shardRanks().contains(run.plan().source(plan.rank()))) {
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
      NDArray tokens = Patchify.assemble(scope, all, plan.denoised()); // (B·F, L, c)
      return decoding.finish(scope, tokens, plan.images(), groups.decoders());
    }
  }
}
