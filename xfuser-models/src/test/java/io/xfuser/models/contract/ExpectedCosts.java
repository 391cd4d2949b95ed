package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.ParallelConfig;
import io.xfuser.internal.parallel.DeviceMesh;
import io.xfuser.internal.parallel.MeshAxis;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.LatentShape;
import io.xfuser.nn.Range;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.report.RankReport;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * The formulas, for tokens and heads that need not divide evenly. Of a rank: l its image tokens, h
 * its heads of H, D their size, t its text tokens of T; of its Ulysses group: g image tokens, s
 * text tokens; of its DistriFusion patch: n of all N. B counts pictures, times two with guidance on
 * one rank, times the frames of a video.
 */
final class ExpectedCosts {
  private static final int FLOAT = 4;

  private final CostContract model;
  private final ParallelConfig degrees;
  private final TransformerSpec<?> spec;
  private final DeviceMesh mesh;
  private final TokenLayout layout;
  private final TokenLayout denoised;
  private final int warmup;
  private final boolean stale;
  private final long rows; // B without guidance
  private final long batch; // B
  private final long latentWidth; // c, values of a token
  private final ExpectedAcross across;
  private final ExpectedText text;
  private final ExpectedText shown;

  ExpectedCosts(
      CostContract model, DiffusionPipeline pipeline, ParallelConfig degrees, int warmup) {
    GenerationRequest request = pipeline.model().resolve(model.request());
    LatentShape latents = request.latents();
    this.model = model;
    this.degrees = degrees;
    this.spec = pipeline.model().transformer(Placement.CPU);
    this.mesh = ExpectedText.mesh(degrees);
    this.layout =
        new TokenLayout(request.sequence(), degrees.patchesOfARank(), degrees.sequenceDegree());
    this.denoised = layout.segment(0);
    this.warmup = warmup;
    this.stale =
        Math.max(degrees.patches(), degrees.distrifusionPatches()) > 1
            && warmup < CostContract.STEPS;
    this.rows = (long) request.images() / degrees.dataDegree() * latents.sequences();
    this.batch = rows * (request.guided() && degrees.cfgDegree() == 1 ? 2 : 1);
    this.latentWidth = (long) latents.channels() * latents.patch().size();
    this.text = new ExpectedText(model.textTokens(), degrees, mesh);
    this.shown = new ExpectedText(model.shownTokens(), degrees, mesh);
    this.across = new ExpectedAcross(model, degrees, mesh, layout, stale ? warmup : null);
  }

  void check(RankReport report) {
    int rank = report.rank();
    int stage = mesh.coordinate(rank, MeshAxis.PIPELINE);
    boolean last = stage == degrees.pipefusionDegree() - 1;
    long steps = CostContract.STEPS;
    long latents = rows * denoised.length(denoised.all(), shard(rank)) * latentWidth;
    long group = groupTokens(rank, ring(rank, 0));
    long traded =
        attentions(stage) * ulysses(rank, tokens(rank), group)
            + joint(stage) * traded(rank, text)
            + seen(stage) * traded(rank, shown);
    assertSent(report, "ulysses", steps * traded);
    int next = ring(rank, 1);
    long ringed =
        attentions(stage) * ringed(rank, layout.tokens(), group, groupTokens(rank, next))
            + joint(stage) * ringed(rank, text)
            + seen(stage) * ringed(rank, shown);
    assertSent(report, "ring", steps * ringed);
    // nobody reads what would be sent in the last step, unless it is synchronous
    long displacedSums =
        batch * blocks(stage).map(spec::sums).sum() * across.displaced(heads(rank));
    assertSent(
        report,
        "distrifusion",
        (stale ? steps - 1 : steps) * (displaced(rank, stage) + displacedSums));
    long summed =
        blocks(stage).map(spec::sums).sum() * across.summed(batch, shard(rank), heads(rank));
    long looked = blocks(stage).map(spec::neighbours).sum() * batch * across.traded(shard(rank));
    assertSent(report, "tokens", summed + looked);
    long skipped = skips(stage) * tokens(rank);
    long forward = last ? 0 : tokens(rank) + text.own(rank) + skipped;
    // the return hop: not after the last step, and not doubled by guidance
    long back = last && stage > 0 ? (steps - 1) * latents : 0;
    assertSent(report, "pipefusion", steps * batch * model.width() * forward + back);
    assertSent(report, "cfg", last && degrees.cfgDegree() == 2 ? steps * latents : 0);
    long squares = range(stage).length() * across.squares(batch, shard(rank), rank);
    assertSent(report, "tensor", steps * batch * sums(rank, stage) + squares);
    long kept =
        attentions(stage) * layout.tokens()
            + joint(stage) * (long) model.textTokens()
            + seen(stage) * (long) model.shownTokens();
    boolean twice = degrees.distrifusionPatches() > degrees.distrifusionDegree();
    assertThat(report.kvBufferBytes())
        .isEqualTo(
            (stale ? batch * kept * headsWidth(rank) * FLOAT * (twice ? 4 : 2) : 0)
                + FLOAT * batch * blocks(stage).map(spec::sums).sum() * across.keptSums(heads(rank))
                + FLOAT
                    * batch
                    * blocks(stage).map(spec::neighbours).sum()
                    * across.keptTokens(shard(rank)));
    assertThat(report.attentionBytes()).isEqualTo(FLOAT * batch * attended(rank, stage));
    checkParameters(report, stage, mesh.coordinate(rank, MeshAxis.TENSOR));
  }

  /** Queries, keys, values and outputs of the tokens that are computed together: 4·(t + l)·H·D. */
  private long attended(int rank, int stage) {
    if (attentions(stage) == 0) {
      return 0;
    }
    long spoken = joint(stage) > 0 ? text.own(rank) : 0;
    long most = spoken + tokens(rank);
    if (stale && warmup == 0 && degrees.patches() > 1) { // else some step has the whole picture
      int shard = shard(rank);
      most =
          IntStream.range(0, layout.patches())
              .mapToLong(m -> (m == 0 ? spoken : 0) + layout.length(PatchSpan.of(m), shard))
              .max()
              .orElseThrow();
    }
    return 4 * most * width(heads(rank));
  }

  /** Queries, keys and values out, results back: 3·l·(H − h)·D + (g − l)·h·D; t and s of text. */
  private long ulysses(int rank, long mine, long group) {
    long others = width(heads(rank)) - headsWidth(rank);
    return batch * (3 * mine * others + (group - mine) * headsWidth(rank));
  }

  /**
   * Keys and values of the patch, and of its text, to all others: 2·(N − 1)·(n + T)·h·D for each
   * attention, without T where it is without text.
   */
  private long displaced(int rank, int stage) {
    long patch =
        IntStream.range(0, degrees.ringDegree()).mapToLong(ring -> groupTokens(rank, ring)).sum();
    long sent = attentions(stage) * patch + joint(stage) * text.all(rank);
    sent += seen(stage) * shown.all(rank);
    return 2 * batch * sent * headsWidth(rank) * (degrees.distrifusionDegree() - 1);
  }

  /**
   * Keys and values: patches are sent to all others, 2·g·h·D·(R − 1); otherwise all but the next
   * rank's pass through.
   */
  private long ringed(int rank, long all, long group, long next) {
    boolean gathered = stale || degrees.distrifusionDegree() > 1;
    long sent = gathered ? group * (degrees.ringDegree() - 1) : all - next;
    return 2 * batch * sent * headsWidth(rank);
  }

  private long traded(int rank, ExpectedText tokens) {
    return ulysses(rank, tokens.own(rank), tokens.ofGroup(rank, ring(rank, 0)));
  }

  private long ringed(int rank, ExpectedText tokens) {
    long group = tokens.ofGroup(rank, ring(rank, 0));
    return ringed(rank, tokens.all(rank), group, tokens.ofGroup(rank, ring(rank, 1)));
  }

  private int ring(int rank, int further) {
    return (mesh.coordinate(rank, MeshAxis.RING) + further) % degrees.ringDegree();
  }

  private long tokens(int rank) {
    return layout.length(layout.all(), shard(rank));
  }

  private int shard(int rank) {
    return firstShard(rank, ring(rank, 0)) + mesh.coordinate(rank, MeshAxis.ULYSSES);
  }

  /** Of the Ulysses group of the same patch that is {@code ring} on the ring. */
  private long groupTokens(int rank, int ring) {
    int first = firstShard(rank, ring);
    return IntStream.range(first, first + degrees.ulyssesDegree())
        .mapToLong(shard -> layout.length(layout.all(), shard))
        .sum();
  }

  private int firstShard(int rank, int ring) {
    int patch = mesh.coordinate(rank, MeshAxis.DISTRIFUSION);
    return (patch * degrees.ringDegree() + ring) * degrees.ulyssesDegree();
  }

  /**
   * 2·(N − 1) / N of the width of each token that a term is added to. Widths here divide evenly,
   * else the parts of an all-reduce would differ by an element.
   */
  private long sums(int rank, int stage) {
    long summed = blocks(stage).mapToLong(i -> model.terms(i) * tokens(rank)).sum();
    summed += blocks(stage).mapToLong(i -> model.textTerms(i) * text.own(rank)).sum();
    long ranks = degrees.tensorDegree();
    assertThat(model.width() % ranks).isZero();
    return 2 * (ranks - 1) * summed * model.width() / ranks;
  }

  /** Of this rank's blocks, before Ulysses shares them out: H. */
  private Range heads(int rank) {
    return Range.of(spec.heads())
        .shard(mesh.coordinate(rank, MeshAxis.TENSOR), degrees.tensorDegree());
  }

  /** h·D. */
  private long headsWidth(int rank) {
    return width(
        heads(rank).shard(mesh.coordinate(rank, MeshAxis.ULYSSES), degrees.ulyssesDegree()));
  }

  private long width(Range heads) {
    return (long) heads.length() * model.width() / spec.heads();
  }

  private long attentions(int stage) {
    return blocks(stage).map(spec::attentions).sum();
  }

  private long joint(int stage) {
    return blocks(stage).map(model::jointAttentions).sum();
  }

  private long seen(int stage) {
    return blocks(stage).map(model::shownAttentions).sum();
  }

  /** Long skips from this stage to another one. */
  private long skips(int stage) {
    Range own = range(stage);
    return IntStream.range(own.to(), spec.depth())
        .mapToObj(spec::skipFrom)
        .filter(OptionalInt::isPresent)
        .mapToInt(OptionalInt::getAsInt)
        .filter(source -> source >= own.from() && source < own.to())
        .count();
  }

  private void checkParameters(RankReport report, int stage, int part) {
    Share share = new Share(part, degrees.tensorDegree());
    long expected =
        spec.conditioner().parameterBytes()
            + blocks(stage).mapToLong(i -> bytes(spec, i, share)).sum();
    expected += stage == 0 ? spec.embedding().parameterBytes() : 0;
    expected += stage == degrees.pipefusionDegree() - 1 ? spec.head().parameterBytes() : 0;
    assertThat(report.parameterBytes()).isEqualTo(expected);
    if (degrees.attnLayerNumForPp().isEmpty()) {
      assertThat(range(stage).length())
          .isLessThanOrEqualTo((spec.depth() - 1) / degrees.pipefusionDegree() + 1);
    }
  }

  /** Bytes of the weights of {@code share} of a block. */
  static long bytes(TransformerSpec<?> spec, int index, Share share) {
    try (Block<?> block = spec.block(index, share)) {
      return block.parameterBytes();
    }
  }

  private IntStream blocks(int stage) {
    Range own = range(stage);
    return IntStream.range(own.from(), own.to());
  }

  private Range range(int stage) {
    if (degrees.attnLayerNumForPp().isEmpty()) {
      return Range.of(spec.depth()).shard(stage, degrees.pipefusionDegree());
    }
    int from =
        degrees.attnLayerNumForPp().subList(0, stage).stream().mapToInt(Integer::intValue).sum();
    return new Range(from, from + degrees.attnLayerNumForPp().get(stage));
  }

  private static void assertSent(RankReport report, String channel, long elements) {
    assertThat(Objects.requireNonNull(report.sentBytes().get(channel)))
        .as("rank %d, %s", report.rank(), channel)
        .isEqualTo(FLOAT * elements);
  }
}
