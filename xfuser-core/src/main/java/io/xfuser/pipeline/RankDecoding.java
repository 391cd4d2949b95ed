package io.xfuser.pipeline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.OutputType;
import io.xfuser.nn.TokenRange;
import io.xfuser.parallel.Channel;
import io.xfuser.parallel.Communicator;
import io.xfuser.pipeline.GenerationRequest.Size;
import io.xfuser.pipeline.RankResult.Decoded;
import io.xfuser.torchscript.DeviceClock.Mark;
import io.xfuser.torchscript.Torch;
import io.xfuser.trace.Activity;
import io.xfuser.transformer.Shared;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one rank does to turn latents into pictures.
 *
 * @param run the rank
 * @param vae the decoder, loaded where it is used
 * @param request what is generated
 * @param ranks who decodes
 */
record RankDecoding(
    RankRun run, Shared<VaeDecoder> vae, GenerationRequest request, DecodingRanks ranks) {
  private static final Logger LOG = LoggerFactory.getLogger(RankDecoding.class);

  static RankDecoding of(RankRun run, PlacedPipeline<?> pipeline, GenerationRequest request) {
    return new RankDecoding(
        run, pipeline.vaeDecoder(), request, DecodingRanks.of(run.engine(), request));
  }

  /** Whether the latents go to ranks that do nothing but decode. */
  private boolean isElsewhere() {
    return !ranks.alone().isEmpty() && !isLatent();
  }

  private boolean isLatent() {
    return request.input().outputType() == OutputType.LATENT;
  }

  /** Whether this rank decodes something. */
  boolean takesPart() {
    int rank = run.world().rank();
    return !isLatent() && ranks.decoders(rank).contains(rank);
  }

  /**
   * On the rank that has the latents of {@code images} as {@code tokens} (B·F, L, c): decodes them,
   * or sends them to the ranks that do.
   *
   * @param others the ranks that have the latents of the other pictures, in order
   */
  Decoded finish(NDManager scope, NDArray tokens, TokenRange images, Communicator others) {
    if (isElsewhere()) {
      toDecoder(run.world().rank()).send(List.of(tokens), 1);
      return Decoded.NOTHING;
    }
    return lead(scope, tokens, images, others);
  }

  /** On the first of the ranks that do nothing but decode: all pictures of the request. */
  Decoded finishAll(NDManager scope) {
    List<NDArray> arrived = new ArrayList<>();
    for (int source : ranks.sources()) {
      arrived.add(toDecoder(source).receive(0).await(scope).singletonOrThrow());
    }
    NDArray tokens = Torch.concat(scope, arrived, 0); // (B·F, L, c)
    Communicator alone = run.world().group(Channel.DATA, List.of(run.world().rank()));
    return lead(scope, tokens, new TokenRange(0, request.images()), alone);
  }

  private Communicator toDecoder(int source) {
    return run.world().group(Channel.VAE, List.of(source, ranks.alone().get(0)));
  }

  /** On all other ranks: takes part in the decoding, if this rank has a strip. */
  Decoded follow(NDManager scope) {
    if (!takesPart()) {
      return Decoded.NOTHING;
    }
    return decoding(
        decoder -> {
          decoder.follow(scope);
          return Decoded.NOTHING;
        });
  }

  private Decoded lead(NDManager scope, NDArray tokens, TokenRange images, Communicator others) {
    LatentShape shape = request.latents();
    if (isLatent()) {
      warnOf(ImageProcessor.notFinite(scope, tokens), tokens, "latents");
      return Decoded.of(scope, images.from(), shape.visible(scope, tokens));
    }
    return decoding(
        decoder -> {
          NDArray pixels = // (B·F, 3, H, W)
              new ChunkedDecoding(decoder, others, request, images)
                  .decode(scope, shape.decodable(scope, tokens));
          run.memory().look();
          warnOf(ImageProcessor.notFinite(scope, pixels), pixels, "decoded values");
          return output(scope, images.from(), pixels);
        });
  }

  /** A picture of them would be black there, without a word. */
  private static void warnOf(long notFinite, NDArray all, String what) {
    if (notFinite > 0) {
      LOG.warn(
          "{} of {} {} are not numbers or infinite, and the picture shows nothing there; where"
              + " float16 is too narrow, bfloat16 or float32 may help",
          notFinite,
          all.size(),
          what);
    }
  }

  private Decoded decoding(Function<StripDecoding, Decoded> work) {
    run.activity("decoding");
    Mark start = run.mark();
    Decoded decoded =
        run.trace()
            .during(
                Activity.DECODE,
                () -> {
                  try (Shared.Lease<VaeDecoder> lease =
                      run.loaded(Progress.Phase.LOADING_DECODER, vae)) {
                    run.times().vaeDecoder(lease.get().parameterBytes());
                    return work.apply(strips(lease.get()));
                  }
                });
    run.times().decoded(start);
    return decoded;
  }

  private StripDecoding strips(VaeDecoder decoder) {
    VaeDecoder.DecodeOptions options =
        new VaeDecoder.DecodeOptions(
            run.engine().runtime().enableSlicing(),
            run.engine().runtime().enableTiling(),
            request.latents().frames(),
            (done, total) -> run.progress(Progress.Phase.DECODING, done, total));
    List<Integer> together = ranks.decoders(run.world().rank());
    return new StripDecoding(decoder, options, run.world().group(Channel.VAE, together));
  }

  private Decoded output(NDManager scope, int first, NDArray decoded) {
    NDArray pixels = decoded; // (B·F, 3, H, W)
    LatentShape shape = request.latents();
    Size size = request.output();
    if (!size.equals(request.size())) {
      pixels = ImageProcessor.resizeAndCrop(scope, pixels, size.width(), size.height());
    }
    if (request.input().outputType() == OutputType.PT) {
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
}
