package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.Settings.Schedule;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.config.Settings.Topology;
import io.xfuser.internal.attention.DisplacedAttention;
import io.xfuser.internal.attention.DisplacedNeighbours;
import io.xfuser.internal.attention.DisplacedPatches;
import io.xfuser.internal.attention.DisplacedSteps;
import io.xfuser.internal.attention.DisplacedSum;
import io.xfuser.internal.attention.FreshSum;
import io.xfuser.internal.attention.HeadTrade;
import io.xfuser.internal.attention.LocalAttention;
import io.xfuser.internal.attention.PatchAttention;
import io.xfuser.internal.attention.PatchNeighbours;
import io.xfuser.internal.attention.PatchSums;
import io.xfuser.internal.attention.RingAttention;
import io.xfuser.internal.attention.SelectiveTrade;
import io.xfuser.internal.attention.UlyssesAttention;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.MeshAxis;
import io.xfuser.internal.parallel.TwoLevels;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.internal.report.RankFigures;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.BlockContext.Across;
import io.xfuser.transformer.BlockContext.LayerListener;
import io.xfuser.transformer.BlockContext.Neighbours;
import io.xfuser.transformer.BlockContext.TokenSum;
import io.xfuser.transformer.TransformerSpec;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The groups that one rank talks to.
 *
 * @param tensor ranks that compute the other shares of the same blocks
 * @param pipeline the stages of this rank's transformer
 * @param skips the same ranks, for what goes past stages
 * @param ulysses ranks that trade tokens for heads, on their nodes
 * @param ring ranks among which keys and values travel
 * @param distrifusion ranks that compute the picture's other patches, and send what they had in the
 *     step before
 * @param cfg the ranks of the negative and the positive prompt
 * @param replica all ranks that work on this rank's pictures
 * @param shards the ranks that hold the other tokens of this stage
 * @param statistics the same ranks, for sums over the whole prediction
 * @param alike the ranks that compute the same share of the same blocks for other tokens, prompts
 *     or pictures
 * @param tokens the same ranks, for what blocks ask of others' tokens beside attention
 * @param patch those of them that hold the other tokens of this rank's patches, for the same
 * @param decoders the ranks that have the latents of the other pictures, where this one has some
 */
record RankGroups(
    Communicator tensor,
    Communicator pipeline,
    Communicator skips,
    TwoLevels ulysses,
    Communicator ring,
    Communicator distrifusion,
    Communicator cfg,
    Communicator replica,
    Communicator shards,
    Communicator statistics,
    Communicator alike,
    Communicator tokens,
    Communicator patch,
    Communicator decoders) {

  static RankGroups of(World world, RankPlan plan, ParallelConfig degrees) {
    return new RankGroups(
        world.along(plan.mesh(), MeshAxis.TENSOR),
        world.along(plan.mesh(), MeshAxis.PIPELINE),
        world.group(Channel.SKIP, plan.mesh().ranksAlong(plan.rank(), MeshAxis.PIPELINE)),
        ulysses(world, plan, degrees),
        world.along(plan.mesh(), MeshAxis.RING),
        world.along(plan.mesh(), MeshAxis.DISTRIFUSION),
        world.along(plan.mesh(), MeshAxis.CFG),
        world.group(Channel.TEXT, plan.mesh().replica(plan.rank())),
        world.group(Channel.VAE, plan.shardRanks()),
        world.group(Channel.CFG, plan.shardRanks()),
        world.group(Channel.CFG, alike(plan)),
        world.group(Channel.TOKENS, plan.shardRanks()),
        world.group(
            Channel.TOKENS, plan.patchShards().stream().map(plan.shardRanks()::get).toList()),
        world.along(plan.mesh(), MeshAxis.DATA));
  }

  private static TwoLevels ulysses(World world, RankPlan plan, ParallelConfig degrees) {
    List<Integer> ranks = plan.mesh().ranksAlong(plan.rank(), MeshAxis.ULYSSES);
    Topology asked = degrees.ulyssesTopology();
    int ofANode = asked == null ? world.machines().each(ranks) : asked.ranks();
    if (asked == null && degrees.selectiveV() > 0 && ofANode == ranks.size()) {
      ofANode = 1; // nothing is known to be near
    }
    return world.onNodes(MeshAxis.ULYSSES.channel(), ranks, ofANode);
  }

  private static List<Integer> alike(RankPlan plan) {
    return IntStream.range(0, plan.mesh().size())
        .filter(
            other ->
                Stream.of(MeshAxis.PIPELINE, MeshAxis.TENSOR)
                    .allMatch(
                        axis ->
                            plan.mesh().coordinate(other, axis)
                                == plan.mesh().coordinate(plan.rank(), axis)))
        .boxed()
        .toList();
  }

  /**
   * What attention is made for.
   *
   * @param request owns keys and values that are kept
   * @param plan whose strategy it is
   * @param steps of DistriFusion
   * @param engine what all ranks were told
   */
  record Asked(NDManager request, RankPlan plan, DisplacedSteps steps, EngineConfig engine) {
    /** For {@code plan}, none of whose steps has begun. */
    static Asked of(NDManager request, RankPlan plan, EngineConfig engine) {
      boolean spared = plan.request().input().cache() != StepCache.NONE;
      int synchronous = Math.max(1, plan.warmupSteps());
      return new Asked(request, plan, new DisplacedSteps(synchronous, plan.to(), spared), engine);
    }
  }

  /** The context of each block for one request; {@code figures} watch every attention. */
  List<BlockContext> contexts(Asked asked, TransformerSpec<?> spec, RankFigures figures) {
    RankPlan plan = asked.plan();
    return IntStream.range(plan.blocks().from(), plan.blocks().to())
        .mapToObj(
            block ->
                new BlockContext(
                    IntStream.range(0, spec.attentions(block))
                        .mapToObj(i -> figures.watch(attention(asked, figures)))
                        .toList(),
                    across(asked, spec, block),
                    plan.share(),
                    tensor::allReduceSum,
                    LayerListener.NONE))
        .toList();
  }

  private Across across(Asked asked, TransformerSpec<?> spec, int block) {
    return new Across(
        IntStream.range(0, spec.sums(block)).mapToObj(i -> tokenSum(asked)).toList(),
        IntStream.range(0, spec.neighbours(block)).mapToObj(i -> neighbours(asked)).toList());
  }

  private TokenSum tokenSum(Asked asked) {
    RankPlan plan = asked.plan();
    if (distrifusion.size() > 1) {
      return new DisplacedSum(distrifusion, patch, plan.layout(), plan.shard(), asked.steps());
    }
    return plan.stale()
        ? new PatchSums(asked.request(), patch, plan.layout(), plan.shard(), plan.displaced())
        : new FreshSum(patch, plan.layout(), plan.shard());
  }

  private Neighbours neighbours(Asked asked) {
    RankPlan plan = asked.plan();
    if (plan.request().sequence().segments().size() > 1) {
      throw new IllegalStateException("tokens of several segments have no neighbours");
    }
    return distrifusion.size() > 1
        ? new DisplacedNeighbours(tokens, plan.layout(), plan.patchShards(), asked.steps())
        : new PatchNeighbours(
            asked.request(), tokens, plan.layout(), plan.stale(), plan.displaced());
  }

  private Attention attention(Asked asked, RankFigures figures) {
    RankPlan plan = asked.plan();
    Attention inner = ofAPatch(asked);
    return ulysses.size() == 1
        ? inner
        : new UlyssesAttention(
            ulysses, plan.layout(), plan.ulyssesShards(), trade(asked, figures), inner);
  }

  private HeadTrade trade(Asked asked, RankFigures figures) {
    RankPlan plan = asked.plan();
    ParallelConfig degrees = asked.engine().parallel();
    boolean first = degrees.ulyssesSchedule() == Schedule.V_FIRST;
    HeadTrade whole = first ? HeadTrade.valuesFirst(ulysses) : HeadTrade.together(ulysses);
    return degrees.selectiveV() == 0
        ? whole
        : new SelectiveTrade(
            asked.request(),
            ulysses,
            plan.layout(),
            plan.ulyssesShards(),
            new SelectiveTrade.Schedule(degrees.selectiveV(), plan.from(), plan.steps(), first),
            whole,
            figures.unsent());
  }

  private Attention ofAPatch(Asked asked) {
    NDManager request = asked.request();
    RankPlan plan = asked.plan();
    AttentionKernel kernel = asked.engine().runtime().attentionBackend();
    int bits = asked.engine().parallel().compactCompressType().bits();
    int whole = plan.warmupSteps() - plan.from();
    if (distrifusion.size() > 1) {
      DisplacedAttention all = new DisplacedAttention(distrifusion, ring, asked.steps(), kernel);
      return bits == 0 || !plan.stale() ? all : all.compact(request, bits, whole);
    } else if (plan.stale()) {
      return plan.displaced()
          ? new DisplacedPatches(request, plan.layout(), plan.patchShards(), ring, kernel)
          : new PatchAttention(request, plan.layout(), plan.patchShards(), ring, kernel);
    }
    if (ring.size() == 1) {
      return new LocalAttention(kernel);
    }
    return bits == 0
        ? new RingAttention(ring, kernel)
        : RingAttention.compact(request, ring, kernel, bits, whole);
  }
}
