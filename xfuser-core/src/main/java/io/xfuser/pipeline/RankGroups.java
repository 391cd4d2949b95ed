package io.xfuser.pipeline;

import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.attention.LocalAttention;
import io.xfuser.attention.PatchAttention;
import io.xfuser.attention.RingAttention;
import io.xfuser.attention.UlyssesAttention;
import io.xfuser.parallel.Channel;
import io.xfuser.parallel.Communicator;
import io.xfuser.parallel.MeshAxis;
import io.xfuser.parallel.World;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The groups that one rank talks to.
 *
 * @param pipeline the stages of this rank's transformer
 * @param ulysses ranks that trade tokens for heads
 * @param ring ranks among which keys and values travel
 * @param cfg the ranks of the negative and the positive prompt
 * @param replica all ranks that work on this rank's pictures
 * @param shards the ranks that hold the other tokens of this stage
 * @param everyone all ranks
 */
record RankGroups(
    Communicator pipeline,
    Communicator ulysses,
    Communicator ring,
    Communicator cfg,
    Communicator replica,
    Communicator shards,
    Communicator everyone) {

  static RankGroups of(World world, RankPlan plan) {
    return new RankGroups(
        world.along(plan.mesh(), MeshAxis.PIPELINE),
        world.along(plan.mesh(), MeshAxis.ULYSSES),
        world.along(plan.mesh(), MeshAxis.RING),
        world.along(plan.mesh(), MeshAxis.CFG),
        world.group(Channel.TEXT, plan.mesh().replica(plan.rank())),
        world.group(Channel.VAE, plan.shardRanks()),
        world.group(Channel.WORLD, IntStream.range(0, world.size()).boxed().toList()));
  }

  /**
   * One attention per block for one request: the strategy of {@code plan}.
   *
   * @param request owns keys and values that are kept
   */
  List<Attention> attentions(NDManager request, RankPlan plan) {
    return IntStream.range(0, plan.blocks().length())
        .mapToObj(block -> attention(request, plan))
        .toList();
  }

  private Attention attention(NDManager request, RankPlan plan) {
    Attention inner;
    if (plan.stale()) {
      inner = new PatchAttention(request, plan.layout(), plan.allShards(), ring);
    } else {
      inner = ring.size() > 1 ? new RingAttention(ring) : new LocalAttention();
    }
    return ulysses.size() == 1
        ? inner
        : new UlyssesAttention(ulysses, plan.layout(), plan.ulyssesShards(ring.rank()), inner);
  }
}
