package io.xfuser.internal.plan;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.internal.parallel.DeviceMesh;
import io.xfuser.internal.parallel.MeshAxis;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Reference;
import io.xfuser.nn.Range;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenLayout.TextTokens;
import io.xfuser.trace.TraceEvent.MicroStep;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What one rank does in one request: its blocks, its tokens, its pictures.
 *
 * @param rank the rank
 * @param mesh all ranks
 * @param request what is generated
 * @param stages the transformer's blocks that each stage owns
 * @param layout who owns which tokens
 * @param shard this rank's place in the layout
 * @param images the pictures that this rank works on, of all in the request
 * @param warmupSteps first steps without stale keys and values; at least one in DistriFusion, which
 *     has nothing stale before
 * @param displaced whether what is stale is all of the step before (DistriFusion), not only the
 *     patches that follow (PipeFusion)
 * @param from the first step to take; those before were taken in another layout, or with another
 *     transformer
 * @param to the step before which this ends; another transformer takes the others
 */
public record RankPlan(
    int rank,
    DeviceMesh mesh,
    GenerationRequest request,
    List<Range> stages,
    TokenLayout layout,
    int shard,
    Range images,
    int warmupSteps,
    boolean displaced,
    int from,
    int to) {

  public static DeviceMesh mesh(ParallelConfig degrees) {
    return new DeviceMesh(
        Map.of(
            MeshAxis.TENSOR, degrees.tensorDegree(),
            MeshAxis.ULYSSES, degrees.ulyssesDegree(),
            MeshAxis.RING, degrees.ringDegree(),
            MeshAxis.DISTRIFUSION, degrees.distrifusionDegree(),
            MeshAxis.PIPELINE, degrees.pipefusionDegree(),
            MeshAxis.CFG, degrees.cfgDegree(),
            MeshAxis.DATA, degrees.dataDegree()));
  }

  /**
   * The plan of {@code rank}.
   *
   * @throws IllegalArgumentException if the degrees do not fit the model or the request, with the
   *     numbers
   */
  public static RankPlan of(
      int rank, EngineConfig engine, TransformerSpec<?> spec, GenerationRequest request) {
    ParallelConfig degrees = engine.parallel();
    DeviceMesh mesh = mesh(degrees);
    Degrees.check(degrees, spec, request);
    boolean displaced = degrees.distrifusionPatches() > 1;
    RankPlan plan =
        new RankPlan(
            rank,
            mesh,
            request,
            IntStream.range(0, degrees.pipefusionDegree())
                .mapToObj(stage -> stage(degrees, spec, stage))
                .toList(),
            new TokenLayout(request.sequence(), degrees.patchesOfARank(), degrees.sequenceDegree()),
            shard(mesh, rank),
            Range.of(request.images())
                .shard(mesh.coordinate(rank, MeshAxis.DATA), degrees.dataDegree()),
            Math.max(displaced ? 1 : 0, engine.runtime().warmupSteps()),
            displaced,
            0,
            request.calls());
    new Refusals(plan).check();
    return plan;
  }

  /**
   * The same for what is left after {@code step} steps that other ranks took; as they keep no keys
   * and values for these, the next step is synchronous.
   */
  public RankPlan from(int step) {
    return step == from ? this : between(step, to);
  }

  /**
   * The same for some of the steps, that a transformer takes: keys and values that another one had
   * are of no use, so that the first of them is synchronous, too.
   *
   * @param end the step after the last of them
   */
  public RankPlan between(int step, int end) {
    int fresh = step == 0 ? warmupSteps : Math.max(warmupSteps, step + 1);
    return new RankPlan(
        rank, mesh, request, stages, layout, shard, images, fresh, displaced, step, end);
  }

  /** The place in the layout: DistriFusion's patches in order, each cut for ring and Ulysses. */
  private static int shard(DeviceMesh mesh, int rank) {
    int shard = 0;
    for (MeshAxis axis : List.of(MeshAxis.DISTRIFUSION, MeshAxis.RING, MeshAxis.ULYSSES)) {
      shard = shard * mesh.degree(axis) + mesh.coordinate(rank, axis);
    }
    return shard;
  }

  public static Range stage(ParallelConfig degrees, TransformerSpec<?> spec, int stage) {
    List<Integer> lengths = degrees.attnLayerNumForPp();
    if (lengths.isEmpty()) {
      return Range.of(spec.depth()).shard(stage, degrees.pipefusionDegree());
    }
    int from = lengths.subList(0, stage).stream().mapToInt(Integer::intValue).sum();
    return new Range(from, from + lengths.get(stage));
  }

  /** The layout of what is denoised, without what it refers to. */
  public TokenLayout denoised() {
    return layout.segment(0);
  }

  public Range blocks() {
    return stages.get(mesh.coordinate(rank, MeshAxis.PIPELINE));
  }

  /** What this rank computes of each of its blocks. */
  public Share share() {
    return new Share(mesh.coordinate(rank, MeshAxis.TENSOR), mesh.degree(MeshAxis.TENSOR));
  }

  /** How often hidden states pass through the stages. */
  public int passes() {
    return IntStream.range(from, to).map(t -> spans(t).size()).sum();
  }

  /** Denoising steps: how often the model is called. */
  public int steps() {
    return request.calls();
  }

  /** What is computed together in {@code step}, in this order. */
  public List<PatchSpan> spans(int step) {
    if (step < warmupSteps) {
      return List.of(layout.all());
    }
    return IntStream.range(0, layout.patches()).mapToObj(PatchSpan::of).toList();
  }

  /**
   * Whether a step cache decides for the whole picture where its patches are computed one after the
   * other: DistriFusion's are computed together on as many ranks.
   */
  public boolean cachesWhole() {
    return displaced || request.input().cachesWholePicture();
  }

  /** Whether some step attends keys and values of the step before. */
  public boolean stale() {
    boolean patches = layout.patches() > 1 || mesh.degree(MeshAxis.DISTRIFUSION) > 1;
    return patches && warmupSteps < to;
  }

  /** What {@code step} is called. */
  public String phase(int step) {
    if (step < warmupSteps || !stale()) {
      return "synchronous step";
    }
    return displaced ? "DistriFusion step" : "PipeFusion step";
  }

  /** Equal for steps in which ranks exchange the same tensors, whatever their values. */
  public String kind(int t) {
    boolean layers = request.guidance().layers().at(t, request.scheduler().steps());
    String how = (request.guided() ? " guided" : "") + (layers ? " by layers" : "");
    return request.images() + " in " + request.latents() + how + " as " + spans(t).size();
  }

  /** What a trace calls {@code span} of {@code step}; DistriFusion has a patch on each rank. */
  public MicroStep part(int step, PatchSpan span) {
    int ranks = mesh.degree(MeshAxis.DISTRIFUSION);
    if (ranks == 1) {
      return new MicroStep(step, span.from(), span.to(), layout.patches());
    }
    int own = mesh.coordinate(rank, MeshAxis.DISTRIFUSION);
    return step < warmupSteps
        ? new MicroStep(step, 0, ranks, ranks)
        : new MicroStep(step, own, own + 1, ranks);
  }

  /**
   * What goes with {@code span} here of so many tokens of joint text: with the picture's first
   * patch a share, of as many as ranks have tokens of that.
   */
  public TextTokens text(PatchSpan span, int tokens) {
    return span.from() == 0 && mesh.coordinate(rank, MeshAxis.DISTRIFUSION) == 0
        ? new TextTokens(tokens, 0, shard, patchShards().size())
        : TextTokens.NONE;
  }

  /** The places in the layout of the ranks of this rank's Ulysses group. */
  public List<Integer> ulyssesShards() {
    int first = shard - mesh.coordinate(rank, MeshAxis.ULYSSES);
    return IntStream.range(first, first + mesh.degree(MeshAxis.ULYSSES)).boxed().toList();
  }

  /** The places in the layout of all ranks of this rank's patches, ring rank by ring rank. */
  public List<Integer> patchShards() {
    int ranks = mesh.degree(MeshAxis.ULYSSES) * mesh.degree(MeshAxis.RING);
    int first = mesh.coordinate(rank, MeshAxis.DISTRIFUSION) * ranks;
    return IntStream.range(first, first + ranks).boxed().toList();
  }

  /** The ranks that hold the shards of this rank's picture, in order of shard. */
  public List<Integer> shardRanks() {
    return mesh.ranksAlong(rank, MeshAxis.DISTRIFUSION).stream()
        .flatMap(r -> mesh.ranksAlong(r, MeshAxis.RING).stream())
        .flatMap(r -> mesh.ranksAlong(r, MeshAxis.ULYSSES).stream())
        .toList();
  }

  /**
   * The ranks that encode this rank's pictures: the first of those that draw them, or as many as
   * can share them, so that each has at least one row of latents of every picture.
   */
  public List<Integer> encoding(boolean shared) {
    List<Integer> all = mesh.replica(rank);
    if (!shared) {
      return all.subList(0, 1);
    }
    int rows = request.latents().height();
    for (Reference seen : request.seen()) {
      rows = Math.min(rows, seen.latents().height());
    }
    return all.subList(0, Math.min(all.size(), rows));
  }

  /**
   * Whether this rank encodes prompts: the first of those that draw a picture does.
   *
   * @param shared whether each has a share of the encoder
   */
  public boolean encodesText(boolean shared) {
    return shared || mesh.replica(rank).get(0) == rank;
  }
}
