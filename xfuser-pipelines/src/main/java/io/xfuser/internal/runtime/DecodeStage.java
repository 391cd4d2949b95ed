package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.internal.device.DeviceClock.Mark;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.VaeDecoder;
import io.xfuser.nn.Range;
import io.xfuser.nn.Strip;
import io.xfuser.progress.Progress;
import io.xfuser.torchscript.Torch;
import io.xfuser.trace.TraceEvent.Activity;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What one rank does to turn latents into pictures, alone or with other ranks. Of those that decode
 * a picture together, the first has the latents and gets the pixels: it leads, the others follow.
 */
final class DecodeStage {
  private final RankRun run;
  private final Loads<?> loads;
  private final RequestPlan plan;
  private final GenerationRequest request;
  private final StepTicks ticks;
  private int awaited; // steps

  DecodeStage(RankRun run, Loads<?> loads) {
    this.run = run;
    this.loads = loads;
    this.plan = run.plan();
    this.request = plan.request();
    this.ticks = StepTicks.of(run.world(), plan);
    this.awaited = plan.from();
  }

  /**
   * The whole request on a rank that does nothing else: it loads the VAE while others denoise. Null
   * if the request pauses.
   */
  @Nullable RankPictures alone(NDManager scope, StepGate gate) {
    if (isLatent() || !decoders().contains(run.rank())) {
      return awaitSteps(scope, gate) ? RankPictures.NONE : null;
    }
    run.activity("loading the VAE");
    Mark start = run.figures().mark();
    Shared.Lease<VaeDecoder> loaded = run.trace().during(Activity.LOAD, loads::decoder);
    try (loaded) {
      run.figures().loaded(start);
      if (!awaitSteps(scope, gate)) {
        return null;
      }
      run.activity("waiting for latents");
      return plan.vaeRanks().get(0) == run.rank() ? leadAll(scope) : follow(scope);
    }
  }

  /** Whether the request goes on after them, and does not pause. */
  private boolean awaitSteps(NDManager scope, StepGate gate) {
    for (; awaited < plan.steps() && gate.enter(awaited); awaited++) {
      run.activity("waiting for step " + (awaited + 1) + " of " + plan.steps());
      ticks.await(scope);
    }
    return awaited == plan.steps() && gate.enter(awaited);
  }

  /** A step is done on this rank, which denoises: tells ranks that wait to decode. */
  void stepDone(NDManager scope) {
    ticks.tell(scope);
  }

  /**
   * Whether unfinished pictures are decoded after so many steps: as many as the request asks for,
   * evenly spaced, and none by ranks that do nothing but decode the finished ones.
   */
  boolean showsAfter(int done) {
    int shown = Objects.requireNonNull(request.input().get(InputConfig.PARTIAL_IMAGES));
    boolean pictures = request.input().outputType() == OutputType.PIL;
    return pictures
        && plan.vaeRanks().isEmpty()
        && done < plan.steps()
        && (long) done * (shown + 1) / plan.steps() > (done - 1L) * (shown + 1) / plan.steps();
  }

  /**
   * On the rank that has the latents of {@code images} as {@code tokens} (B·F, L, c): decodes them,
   * or sends them to the ranks that do.
   *
   * @param others the ranks that have the latents of the other pictures, in order
   */
  RankPictures finish(NDManager scope, NDArray tokens, Range images, Communicator others) {
    if (plan.vaeRanks().isEmpty() || isLatent()) {
      return lead(scope, tokens, images, others);
    }
    toDecoder(run.rank()).send(List.of(tokens), 1);
    return RankPictures.NONE;
  }

  /** On all other ranks: takes part in the decoding, if this rank has a strip. */
  RankPictures follow(NDManager owner) {
    if (isLatent() || !decoders().contains(run.rank())) {
      return RankPictures.NONE;
    }
    return decoding(
        decoder -> {
          try (NDManager scope = owner.newSubManager()) {
            Communicator strips = strips();
            NDArray latents = strips.broadcast(scope, List.of(), 0).get(0); // (B·F, c, h, w)
            decoder.decode(scope, latents, options(), new RankStrip(strips), pixels -> {});
          }
          return RankPictures.NONE;
        });
  }

  /** On the first of the ranks that do nothing but decode: all pictures of the request. */
  private RankPictures leadAll(NDManager scope) {
    List<NDArray> arrived = new ArrayList<>();
    for (int source : plan.sources()) {
      arrived.add(toDecoder(source).receive(0).await(scope).singletonOrThrow());
    }
    NDArray tokens = Torch.concat(scope, arrived, 0); // (B·F, L, c)
    Communicator alone = run.world().group(Channel.DATA, List.of(run.rank()));
    return lead(scope, tokens, Range.of(request.images()), alone);
  }

  private Communicator toDecoder(int source) {
    return run.world().group(Channel.VAE, List.of(source, plan.vaeRanks().get(0)));
  }

  private RankPictures lead(NDManager scope, NDArray tokens, Range images, Communicator others) {
    if (isLatent()) {
      return RankPictures.ofLatents(scope, request, images.from(), tokens);
    }
    return decoding(
        decoder -> {
          RankPictures.requireNumbers(scope, tokens, "latents");
          NDArray latents = request.latents().decodable(scope, tokens); // (B·F, c, h, w)
          PictureSink sink = new PictureSink(scope, request);
          decode(scope, decoder, new Rows(latents, images, others), sink::accept);
          run.figures().look();
          return sink.pictures(images.from());
        });
  }

  /**
   * Rows (B·F, c, h, w) of latents that one data-parallel rank has.
   *
   * @param images their pictures in the request
   * @param ranks those that have the latents of all pictures, in their order
   */
  private record Rows(NDArray latents, Range images, Communicator ranks) {}

  /**
   * Hands over the pixels (B·F, 3, H, W) of {@code own}. Rows that a decoder takes together may
   * belong to several ranks, because its chunks are counted from the first row of the whole
   * request: then the ranks show one another their latents, and each decodes the chunks that its
   * rows lie in.
   */
  private void decode(NDManager owner, VaeDecoder decoder, Rows own, Consumer<NDArray> pixels) {
    int chunk = decoder.chunk(options());
    if (!chunksAreShared(chunk, own.ranks().size())) {
      decode(owner, decoder, own.latents(), pixels);
      return;
    }
    int frames = request.latents().decodableFrames();
    int first = own.images().from() * frames;
    int last = own.images().to() * frames;
    int from = first / chunk * chunk;
    int to = Math.min(request.images() * frames, (last + chunk - 1) / chunk * chunk);
    try (NDManager scope = owner.newSubManager()) {
      NDArray all = own.ranks().allGather(scope, own.latents(), 0); // (all B·F, c, h, w)
      decode(
          scope,
          decoder,
          Torch.slice(scope, all, 0, from, to),
          made -> pixels.accept(Torch.slice(scope, made, 0, first - from, last - from)));
    }
  }

  /** Whether the rows of one of so many ranks end within a chunk. */
  private boolean chunksAreShared(int chunk, int ranks) {
    int frames = request.latents().decodableFrames();
    Range all = Range.of(request.images());
    for (int rank = 0; rank < ranks - 1; rank++) {
      if (all.shard(rank, ranks).to() * frames % chunk != 0) {
        return true;
      }
    }
    return false;
  }

  /** Hands over the pixels of latents (B·F, c, h, w), with the ranks that have strips. */
  private void decode(
      NDManager owner, VaeDecoder decoder, NDArray latents, Consumer<NDArray> pixels) {
    Communicator strips = strips();
    if (strips.size() == 1) {
      decoder.decode(owner, latents, options(), Strip.whole(), pixels);
      return;
    }
    try (NDManager scope = owner.newSubManager()) {
      NDArray all = strips.broadcast(scope, List.of(latents), 0).get(0); // (B·F, c, h, w)
      decoder.decode(scope, all, options(), new RankStrip(strips), pixels);
    }
  }

  private RankPictures decoding(Function<VaeDecoder, RankPictures> work) {
    run.activity("decoding");
    Mark start = run.figures().mark();
    RankPictures decoded =
        run.trace()
            .during(
                Activity.DECODE,
                () -> {
                  try (Shared.Lease<VaeDecoder> lease = loads.decoder()) {
                    run.figures().vaeDecoder(lease.get().parameterBytes());
                    return work.apply(lease.get());
                  }
                });
    run.figures().decoded(start);
    return decoded;
  }

  private VaeDecoder.DecodeOptions options() {
    RuntimeConfig runtime = plan.engine().runtime();
    return new VaeDecoder.DecodeOptions(
        runtime.enableSlicing(),
        runtime.enableTiling(),
        request.latents().decodableFrames(),
        Objects.requireNonNull(request.input().get(InputConfig.DECODE_CHUNK_SIZE)),
        request.pictures() != null && request.pictures().unshifted(),
        (done, total) -> run.progress(new Progress.Decoding(done, total)));
  }

  private boolean isLatent() {
    return request.input().outputType() == OutputType.LATENT;
  }

  private List<Integer> decoders() {
    return plan.decoders(run.rank());
  }

  private Communicator strips() {
    return run.world().group(Channel.VAE, decoders());
  }
}
