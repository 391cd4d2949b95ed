package io.xfuser.internal.plan;

import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.MemoryException;
import io.xfuser.internal.parallel.MeshAxis;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.LatentShape;
import io.xfuser.model.VaeDecoder;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.transformer.TransformerSpec.Modulations;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The least memory that a request can do with, found before anything is allocated. It counts only
 * tensors that are certainly there at one time, and no weights, so what is refused would not have
 * fitted, but for texts, which count as if they were padded. All arithmetic is in floating point,
 * which no size overflows.
 *
 * @param phase what needs it
 * @param bytes how much
 * @param remedy what needs less
 */
public record MemoryNeed(String phase, double bytes, String remedy) {
  /** Bytes of a pixel in a Java picture. */
  private static final int JAVA_PIXEL = 4;

  /** Positions of tokens in Java: in an array, and as objects with their references. */
  private static final int JAVA_POSITION = 28;

  /** Numbers for a pair of text tokens: that of their distance or order, and what is made of it. */
  private static final int TEXT_PAIR = 2;

  /** The phase that the size of pictures does not matter to. */
  public static final String TEXT = "encoding the prompt";

  /**
   * Refuses what does not fit.
   *
   * @param whose the memory's name
   * @param usable bytes of it; nothing where it is not known
   * @throws IllegalArgumentException with both numbers
   */
  public void require(GenerationRequest request, String whose, OptionalLong usable) {
    if (usable.isPresent() && bytes > usable.getAsLong()) {
      throw new ArgumentException(
          "%s need at least %s of %s for %s, but there are %s; less is needed by %s"
              .formatted(
                  phase.equals(TEXT) ? Asked.text(request) : Asked.pictures(request),
                  MemoryException.amount(bytes),
                  whose,
                  phase,
                  MemoryException.amount((double) usable.getAsLong()),
                  remedy));
    }
  }

  /** The one that counts: phases follow one another, and whose need is met leaves room for all. */
  public static MemoryNeed largest(Collection<MemoryNeed> needs) {
    return Collections.max(needs, Comparator.comparingDouble(MemoryNeed::bytes));
  }

  /**
   * What the ranks of one device need of its memory, each phase alone.
   *
   * @param ranks those that compute there
   * @param decoder what is known of the decoder
   * @param gpu whether it is a GPU
   */
  public static List<MemoryNeed> onDevice(
      RequestPlan plan,
      TransformerSpec<?> spec,
      VaeDecoder.Footprint decoder,
      Collection<Integer> ranks,
      boolean gpu) {
    List<RankPlan> denoising =
        plan.denoising().stream().filter(rank -> ranks.contains(rank.rank())).toList();
    double element = plan.engine().runtime().dtype().bytes();
    return List.of(
        new MemoryNeed(
            "denoising",
            modulations(denoising, spec, plan.engine().runtime().dtype(), gpu)
                + element * denoising(denoising, spec, plan.engine().runtime()),
            Asked.LESS_DENOISING),
        new MemoryNeed("decoding", element * decoding(plan, decoder, ranks), Asked.LESS_DECODING),
        text(plan, encodesText(plan, ranks) ? element : 0));
  }

  /** Text encoders have numbers for each pair of tokens; texts count as if they were padded. */
  private static MemoryNeed text(RequestPlan plan, double element) {
    double tokens = plan.request().text().maxSequenceLength();
    return new MemoryNeed(
        TEXT,
        tokens * tokens * TEXT_PAIR * element,
        "a smaller " + InputConfig.MAX_SEQUENCE_LENGTH);
  }

  /** Whether one of {@code ranks} encodes prompts, all of the encoder or a share. */
  public static boolean encodesText(RequestPlan plan, Collection<Integer> ranks) {
    return !plan.request().input().prompts().isEmpty()
        && plan.denoising().stream()
            .filter(rank -> ranks.contains(rank.rank()))
            .anyMatch(rank -> rank.encodesText(plan.engine().runtime().shardTextEncoder()));
  }

  /**
   * What the ranks of one device need of its memory to encode the picture that a request brings:
   * what the first level reads and writes at its size.
   *
   * @param ranks those that compute there
   * @param encoder what is known of the encoder
   */
  public static MemoryNeed encoding(
      RequestPlan plan, VaeDecoder.Footprint encoder, Collection<Integer> ranks) {
    RuntimeConfig runtime = plan.engine().runtime();
    GenerationRequest request = plan.request();
    double most = 0;
    for (RankPlan rank : plan.denoising()) {
      List<Integer> together = rank.encoding(runtime.useParallelVae());
      double here = together.stream().filter(ranks::contains).count();
      double pixels = area(request.size(), runtime.enableTiling() ? encoder.tile() : 0);
      most = Math.max(most, 2 * encoder.width() * pixels * here / together.size());
    }
    double elements = request.pictures() == null ? 0 : most;
    return new MemoryNeed(
        "encoding the picture", runtime.dtype().bytes() * elements, Asked.LESS_ENCODING);
  }

  /** What drawing the noise needs of the host: it is drawn for all pictures together. */
  public static MemoryNeed noise(RequestPlan plan, int draws) {
    GenerationRequest request = plan.request();
    double elements =
        (double) request.images()
            * request.latents().channels()
            * request.latents().frames()
            * request.latents().height()
            * request.latents().width();
    double bytes = elements * draws * plan.engine().runtime().dtype().bytes();
    return new MemoryNeed("the noise", bytes, Asked.SMALLER + " or fewer pictures at a time");
  }

  /** What the host must have room for where pixels are asked for as one tensor. */
  public static MemoryNeed pixels(RequestPlan plan, Collection<Integer> ranks) {
    GenerationRequest request = plan.request();
    boolean held = request.input().outputType() == OutputType.PT && leads(plan, ranks);
    double elements = // of one picture or video: other processes may have the others
        3.0 * request.latents().pixelFrames() * area(request.output(), 0);
    double bytes = held ? elements * plan.engine().runtime().dtype().bytes() : 0;
    return new MemoryNeed(
        "the pixels as a tensor", bytes, Asked.SMALLER + ", fewer frames or output_type pil");
  }

  /** What Java's own memory must have room for. */
  public static MemoryNeed ofJava(RequestPlan plan, Collection<Integer> ranks) {
    GenerationRequest request = plan.request();
    double tokens =
        plan.denoising().stream()
            .filter(rank -> ranks.contains(rank.rank()))
            .mapToDouble(rank -> rank.layout().length(rank.layout().all(), rank.shard()))
            .sum();
    boolean pictures = request.input().outputType() == OutputType.PIL && leads(plan, ranks);
    double pixels = // of one picture or video: other processes may have the others
        (double) request.output().height()
            * request.output().width()
            * request.latents().pixelFrames();
    double bytes = Math.max(tokens * JAVA_POSITION, pictures ? pixels * JAVA_PIXEL : 0);
    return new MemoryNeed("the picture", bytes, Asked.SMALLER + " or a larger -Xmx");
  }

  /** Whether one of {@code ranks} brings pixels together. */
  private static boolean leads(RequestPlan plan, Collection<Integer> ranks) {
    return plan.sources().stream()
        .map(source -> plan.decoders(source).get(0))
        .anyMatch(ranks::contains);
  }

  /**
   * Elements of tensors in a self-attention: on every rank the hidden states, on one of them
   * queries, keys, values and the result too. Ranks of other stages and pictures may be idle.
   */
  private static double denoising(
      List<RankPlan> ranks, TransformerSpec<?> spec, RuntimeConfig runtime) {
    double hidden = 0;
    double inside = 0;
    for (RankPlan rank : ranks) {
      double shown = shown(rank, spec);
      hidden += shown;
      boolean together =
          rank.mesh().coordinate(rank.rank(), MeshAxis.PIPELINE) == 0
              && rank.images().from() == 0
              && rank.mesh().coordinate(rank.rank(), MeshAxis.CFG) == 0;
      if (together) {
        double tokens = rank.layout().length(rank.spans(0).get(0), rank.shard());
        double rows = rows(rank);
        double width = (double) spec.heads() * spec.headSize();
        hidden += rows * tokens * width;
        double share = width / rank.mesh().degree(MeshAxis.TENSOR);
        double scores =
            runtime.attentionBackend() == AttentionKernel.SDPA_MATH
                ? scores(rank, spec, rows * tokens)
                : 0;
        int held = shown > 0 ? 5 : 4; // what is attended of pictures, too
        inside = Math.max(inside, held * rows * tokens * share + scores);
      }
    }
    return hidden + inside;
  }

  /** Bytes of modulations, which ranks keep that are idle too. */
  private static double modulations(
      List<RankPlan> ranks, TransformerSpec<?> spec, ElementType type, boolean gpu) {
    long width = (long) spec.heads() * spec.headSize();
    double bytes = 0;
    for (RankPlan rank : ranks) {
      int steps = Math.min(rank.to() - rank.from(), rank.request().scheduler().steps());
      Stream<Modulations> own =
          IntStream.range(rank.blocks().from(), rank.blocks().to()).mapToObj(spec::modulations);
      boolean wholeOnGpu = gpu && rank.mesh().degree(MeshAxis.TENSOR) == 1;
      bytes +=
          Stream.concat(own, Stream.of(spec.commonModulations()))
              .mapToDouble(kept -> kept.bytes(width, (long) rows(rank), steps, type, wholeOnGpu))
              .sum();
    }
    return bytes;
  }

  /** What blocks keep of pictures that are prompts. */
  private static double shown(RankPlan rank, TransformerSpec<?> spec) {
    return rank.request().prompts().pictures().given()
        ? IntStream.range(rank.blocks().from(), rank.blocks().to())
                .mapToDouble(block -> spec.shown(block, (long) rows(rank)))
                .sum()
            / rank.mesh().degree(MeshAxis.TENSOR)
        : 0;
  }

  /** Elements of the products of queries and keys, where a kernel has them all. */
  private static double scores(RankPlan rank, TransformerSpec<?> spec, double queries) {
    double keys = (double) rank.layout().tokens() / rank.mesh().degree(MeshAxis.RING);
    return queries * keys * spec.heads() / rank.mesh().degree(MeshAxis.TENSOR);
  }

  static double rows(RankPlan rank) {
    GenerationRequest request = rank.request();
    boolean both = request.guided() && rank.mesh().degree(MeshAxis.CFG) == 1;
    return (double) rank.images().length() * request.latents().sequences() * (both ? 2 : 1);
  }

  /** Elements of what the decoder reads and writes at the picture's size, or of the pixels. */
  private static double decoding(
      RequestPlan plan, VaeDecoder.Footprint decoder, Collection<Integer> ranks) {
    GenerationRequest request = plan.request();
    if (request.input().outputType() == OutputType.LATENT) {
      return 0;
    }
    double most = 0;
    for (int source : plan.sources()) {
      List<Integer> together = plan.decoders(source);
      double here = together.stream().filter(ranks::contains).count();
      if (here > 0) {
        boolean video = request.latents().isVideo();
        RuntimeConfig runtime = plan.engine().runtime();
        int images =
            plan.vaeRanks().isEmpty()
                ? plan.denoising().get(source).images().length()
                : request.images();
        double atOnce = video || runtime.enableSlicing() ? 1 : images;
        double pixels = area(request.size(), runtime.enableTiling() ? decoder.tile() : 0);
        double inside = 2 * atOnce * decoder.width() * pixels * here / together.size();
        double frames = // those of a video leave as they come
            video && request.latents().layout() != LatentShape.Layout.FRAMES
                ? 1
                : (double) images * request.latents().pixelFrames();
        double pictures =
            ranks.contains(together.get(0)) // which brings the pixels together
                ? 3 * frames * area(request.size(), 0)
                : 0;
        most = Math.max(most, Math.max(inside, pictures));
      }
    }
    return most;
  }

  private static double area(GenerationRequest.Size size, int tile) {
    return tile == 0
        ? (double) size.height() * size.width()
        : (double) Math.min(size.height(), tile) * Math.min(size.width(), tile);
  }
}
