package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext.Neighbours;
import io.xfuser.transformer.BlockContext.Stretch;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * DistriFusion: neighbours in this rank's patch are fresh; those in other patches are what these
 * had in the step before, and travel while the rest of that step is computed.
 */
public final class DisplacedNeighbours implements Neighbours {
  private final Communicator ranks;
  private final TokenLayout layout;
  private final DisplacedSteps steps;
  private final List<Integer> near;
  private final List<Integer> far;
  private Map<Integer, Pending> before = Map.of(); // of other patches, of the last step that asked
  private long keptBytes;

  /**
   * Without tokens.
   *
   * @param ranks those that have the picture's tokens, in order of shard
   * @param near the shards of this rank's patch
   */
  public DisplacedNeighbours(
      Communicator ranks, TokenLayout layout, List<Integer> near, DisplacedSteps steps) {
    this.ranks = ranks;
    this.layout = layout;
    this.steps = steps;
    steps.atEnd(this::end);
    this.near = near;
    this.far =
        IntStream.range(0, layout.shards()).boxed().filter(shard -> !near.contains(shard)).toList();
  }

  @Override
  public List<Stretch> around(NDManager owner, PatchSpan span, NDArray x, int reach) {
    EdgeTrade trade = new EdgeTrade(ranks, new Edges(layout, reach));
    int known = layout.patches();
    EdgeTrade.Own own =
        (to, piece) -> Torch.slice(to, x, 1, piece.within().from(), piece.within().to());
    try (NDManager scope = owner.newSubManager()) {
      Map<Integer, Pending> arriving = trade.start(near, span, known, own);
      Map<Integer, Pending> earlier = before;
      before = steps.fresh() || steps.read() ? trade.start(far, span, known, own) : Map.of();
      Map<Integer, NDList> arrived = awaited(scope, arriving);
      Map<Integer, NDList> others = awaited(scope, earlier); // dropped in a synchronous step
      arrived.putAll(steps.fresh() ? kept(scope, steps.read()) : others);
      return trade.stretches(owner, new EdgeTrade.Computed(span, x, known), arrived, own);
    }
  }

  private static Map<Integer, NDList> awaited(NDManager scope, Map<Integer, Pending> arriving) {
    Map<Integer, NDList> arrived = new TreeMap<>();
    arriving.forEach((shard, pending) -> arrived.put(shard, pending.await(scope)));
    return arrived;
  }

  /** What has just been asked for, and again in the next step if it is {@code read} there. */
  private Map<Integer, NDList> kept(NDManager scope, boolean read) {
    Map<Integer, NDList> arrived = awaited(scope, before);
    before = new TreeMap<>();
    if (read) {
      arrived.forEach(
          (shard, tensors) -> {
            List<SharedTensor> shared = tensors.stream().map(SharedTensor::of).toList();
            before.put(
                shard, later -> new NDList(shared.stream().map(x -> x.receive(later)).toList()));
          });
      keptBytes =
          arrived.values().stream().flatMap(NDList::stream).mapToLong(ElementType::bytesOf).sum();
    }
    return arrived;
  }

  private void end() {
    try (NDManager scope = Torch.newManager()) {
      awaited(scope, before);
    }
    before = Map.of();
  }

  /** Tokens of other ranks, on their way or here, between two steps. */
  @Override
  public long bufferBytes() {
    return keptBytes;
  }
}
