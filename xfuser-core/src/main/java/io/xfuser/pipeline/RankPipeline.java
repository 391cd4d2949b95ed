package io.xfuser.pipeline;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.Offload;
import io.xfuser.config.OutputType;
import io.xfuser.nn.Patchify;
import io.xfuser.parallel.CancelledException;
import io.xfuser.parallel.Channel;
import io.xfuser.parallel.Communicator;
import io.xfuser.parallel.World;
import io.xfuser.pipeline.GenerationRequest.Size;
import io.xfuser.pipeline.Guidance.Arithmetic;
import io.xfuser.pipeline.RankResult.Account;
import io.xfuser.pipeline.RankResult.Decoded;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.torchscript.TensorList;
import io.xfuser.torchscript.Torch;
import io.xfuser.trace.Activity;
import io.xfuser.trace.Trace;
import io.xfuser.trace.TraceEvent;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Shared;
import io.xfuser.weights.Share;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * One rank's way through one request: text, noise, denoising, decoding.
 *
 * @param <C> the model's conditioning
 */
final class RankPipeline<C> {
  private final PlacedPipeline<C> pipeline;
  private final EngineConfig engine;
  private final World world;
  private final Trace trace;
  private final RankPlan plan;
  private final RankGroups groups;
  private final RankTimes times = new RankTimes();
  private final Device device;
  private final PeakMemory memory;

  RankPipeline(PlacedPipeline<C> pipeline, EngineConfig engine, Rank rank) {
    this.pipeline = pipeline;
    this.engine = engine;
    this.trace = rank.trace();
    this.world = trace.observe(rank.world());
    this.plan = rank.plan();
    this.groups = RankGroups.of(world, plan);
    this.device = pipeline.placement().device();
    this.memory = new PeakMemory(device);
  }

  /**
   * One of the ranks.
   *
   * @param world the others
   * @param plan its part of the work
   * @param trace watches it
   */
  record Rank(World world, RankPlan plan, Trace trace) {}

  /** Runs the request; all ranks return together. */
  RankResult run(GivenTensors callers, StepListener listener) {
    try (NDManager request = Torch.newManager()) {
      GivenTensors given = callers.cast(request, engine.runtime().dtype());
      long start = System.nanoTime();
      world.transport().activity("loading the transformer");
      PipelineStage<C> stage =
          trace.during(
              Activity.LOAD,
              () ->
                  PipelineStage.of(pipeline.transformer(), plan.blocks(), plan.share(), offload()));
      times.loaded(start);
      Guidance guidance = Guidance.of(plan, groups);
      Map<String, NDArray> text = text(request, guidance, given);
      DenoisingLoop<C> loop =
          trace.during(Activity.PREPARE, () -> loop(request, stage, guidance, given));
      TensorList.Hold inUse = stage.hold();
      try (inUse) {
        C conditioning = condition(request, stage, text);
        denoise(loop, conditioning, listener);
      }
      Decoded decoded = decode(request, loop);
      memory.look();
      world.transport().activity("finishing");
      return new RankResult(
          decoded.firstImage(),
          decoded.images(),
          decoded.tensor(),
          account(request, own(stage, loop)));
    }
  }

  private Account account(NDManager request, RankReport own) {
    List<TraceEvent> recorded = trace.events(); // before the reports' own messages
    RunReport report = Reports.gather(request, engine, groups.everyone(), own, times);
    return new Account(report, Reports.trace(request, groups.everyone(), recorded));
  }

  private Offload offload() {
    return engine.runtime().offload();
  }

  /** A component for as long as it is used, or longer where nothing leaves the device. */
  private <T extends AutoCloseable> Shared.Lease<T> lease(Shared<T> component) {
    return component.lease(offload() == Offload.NONE);
  }

  /** This rank's text tensors, on its device. */
  private Map<String, NDArray> text(NDManager request, Guidance guidance, GivenTensors given) {
    world.transport().activity("encoding the prompt");
    long start = System.nanoTime();
    Map<String, NDArray> both =
        trace.during(Activity.TEXT, () -> prompts().of(request, this::encoder, given));
    times.textEncoded(start);
    memory.look();
    both.replaceAll((name, tensor) -> Torch.to(request, tensor, device));
    return guidance.texts(request, both);
  }

  private C condition(NDManager request, PipelineStage<C> stage, Map<String, NDArray> text) {
    List<Long> positions = LongStream.of(plan.layout().positions(plan.shard())).boxed().toList();
    ConditionInput input = new ConditionInput(text, plan.request().picture(), positions);
    return trace.during(Activity.CONDITION, () -> stage.conditioner().begin(request, input));
  }

  private PromptTensors prompts() {
    return new PromptTensors(plan, groups.replica(), engine.runtime().shardT5Encoder());
  }

  private Shared.Lease<TextEncoder> encoder(Share share) {
    Shared.Lease<TextEncoder> lease = lease(pipeline.textEncoder(share));
    times.textEncoder(lease.get().parameterBytes());
    return lease;
  }

  private DenoisingLoop<C> loop(
      NDManager request, PipelineStage<C> stage, Guidance guidance, GivenTensors given) {
    Scheduler scheduler = pipeline.model().scheduler(plan.request().scheduler());
    Noise drawn =
        Noise.draw(
            request,
            plan,
            engine.runtime().dtype(),
            scheduler.stochastic() ? plan.steps() : 0,
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
            groups.exchanges(
                request,
                plan,
                pipeline.transformer().spec(),
                engine.runtime().attentionKernel(),
                gauge),
            new LongSkips(
                pipeline.transformer().spec(), plan.stages(), groups.skips(), plan.passes()),
            scheduler,
            guidance,
            trace,
            gauge),
        new Noise(initial, drawn.steps()));
  }

  private void denoise(DenoisingLoop<C> loop, C conditioning, StepListener listener) {
    long start = System.nanoTime();
    for (int t = 0; t < plan.steps(); t++) {
      world.transport().activity("in " + plan.phase(t) + " " + (t + 1) + " of " + plan.steps());
      long stepStart = System.nanoTime();
      loop.step(conditioning, t);
      times.stepTaken(stepStart);
      memory.look();
      if (world.rank() == 0 && !listener.stepTaken(t + 1, plan.steps())) {
        String reason = "cancelled after step " + (t + 1) + " of " + plan.steps();
        world.transport().cancel(reason);
        throw new CancelledException(reason); // alone, a rank has nobody to hear it from
      }
    }
    times.denoised(start);
  }

  /** Gathers the latents on the first of the ranks that hold them, which decodes. */
  private Decoded decode(NDManager request, DenoisingLoop<C> loop) {
    boolean another = // ranks that share blocks have the same latents, and those of both prompts
        !groups.tensor().isFirst() || !groups.cfg().isFirst();
    if (another || !groups.pipeline().isLast()) {
      return assist(request);
    }
    Communicator shards = groups.shards();
    NDArray own = loop.tokens(request); // (B, l, c)
    if (!shards.isFirst()) {
      shards.send(List.of(own), 0);
      return assist(request);
    }
    world.transport().activity("decoding");
    try (NDManager scope = request.newSubManager()) {
      List<NDArray> all = new ArrayList<>(List.of(own));
      for (int shard = 1; shard < shards.size(); shard++) {
        all.add(shards.receive(shard).await(scope).singletonOrThrow());
      }
      NDArray tokens = Patchify.assemble(scope, all, plan.layout()); // (B·F, L, c)
      long start = System.nanoTime();
      Decoded decoded = trace.during(Activity.DECODE, () -> output(scope, tokens));
      times.decoded(start);
      return decoded;
    }
  }

  /** Takes part in the decoding, if this rank has a strip. */
  private Decoded assist(NDManager request) {
    if (plan.request().input().outputType() != OutputType.LATENT
        && decodingRanks().contains(plan.rank())) {
      world.transport().activity("decoding");
      long start = System.nanoTime();
      trace.during(
          Activity.DECODE,
          () -> {
            try (Shared.Lease<VaeDecoder> vae = lease(pipeline.vaeDecoder())) {
              decoding(vae.get()).follow(request);
            }
            return Decoded.NOTHING;
          });
      times.decoded(start);
    }
    return Decoded.NOTHING;
  }

  /** The rank that has the latents, and those with a strip: at least one row of latents each. */
  private List<Integer> decodingRanks() {
    List<Integer> all = plan.decodingRanks();
    int strips = Math.min(all.size(), plan.request().latents().height());
    return all.subList(0, engine.runtime().useParallelVae() ? strips : 1);
  }

  private StripDecoding decoding(VaeDecoder decoder) {
    VaeDecoder.Options options =
        new VaeDecoder.Options(
            engine.runtime().enableSlicing(),
            engine.runtime().enableTiling(),
            plan.request().latents().frames());
    return new StripDecoding(decoder, options, world.group(Channel.VAE, decodingRanks()));
  }

  private Decoded output(NDManager scope, NDArray tokens) {
    int first = plan.images().from();
    OutputType type = plan.request().input().outputType();
    LatentShape shape = plan.request().latents();
    if (type == OutputType.LATENT) {
      return Decoded.of(scope, first, shape.visible(scope, tokens));
    }
    NDArray pixels; // (B·F, 3, H, W)
    try (Shared.Lease<VaeDecoder> vae = lease(pipeline.vaeDecoder())) {
      pixels =
          new ChunkedDecoding(decoding(vae.get()), groups.decoders(), plan)
              .decode(scope, shape.decodable(scope, tokens));
      memory.look();
    }
    Size size = plan.request().output();
    if (!size.equals(plan.request().size())) {
      pixels = ImageProcessor.resizeAndCrop(scope, pixels, size.width(), size.height());
    }
    if (type == OutputType.PT) {
      NDArray bright = ImageProcessor.denormalize(scope, pixels);
      return Decoded.of(
          scope,
          first,
          shape.layout() == LatentShape.Layout.VIDEO
              ? ImageProcessor.videos(scope, bright, shape.frames())
              : bright);
    }
    return new Decoded(first, ImageProcessor.toImages(pixels), null);
  }

  private RankReport own(PipelineStage<C> stage, DenoisingLoop<C> loop) {
    RankReport.Held held =
        new RankReport.Held(
            stage.parameterBytes(),
            loop.bufferBytes(),
            loop.gauge(),
            Torch.name(device),
            memory.peak());
    return times.report(world, held);
  }
}
