package io.xfuser.internal.parallel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Ranks on nodes of B each, near to one another there and far from those of other nodes: rank a·B +
 * b is rank b of node a. What all send to all goes in two phases (TAPA of arXiv 2604.14561), so
 * that a rank sends to another node one message in place of B, and gets the same tensors as in one
 * phase. The second phase of an operation begins with the next operation, or when it is awaited.
 */
public final class TwoLevels implements Communicator {
  private final Communicator all;
  private final Communicator node;
  private final Communicator nodes;
  private @Nullable TwoPhases open; // whose second phase has not begun

  /**
   * Over three groups of the same channel.
   *
   * @param all the ranks
   * @param node those of this rank's node
   * @param nodes those with this rank's place in each node
   */
  public TwoLevels(Communicator all, Communicator node, Communicator nodes) {
    if (node.size() * nodes.size() != all.size()
        || nodes.rank() * node.size() + node.rank() != all.rank()) {
      throw new IllegalArgumentException(
          "rank %d of %d is not rank %d of %d on node %d of %d"
              .formatted(
                  all.rank(), all.size(), node.rank(), node.size(), nodes.rank(), nodes.size()));
    }
    this.all = all;
    this.node = node;
    this.nodes = nodes;
  }

  /** The ranks of this rank's node. */
  public Communicator node() {
    return node;
  }

  /** The ranks with this rank's place in each node. */
  public Communicator nodes() {
    return nodes;
  }

  /** Whether one of the levels has a single rank: then nothing is gained by two phases. */
  private boolean flat() {
    return node.size() == 1 || nodes.size() == 1;
  }

  /** An operation under way. */
  private static final class TwoPhases implements Pending {
    private final Supplier<Pending> second;
    private @Nullable Pending begun;

    private TwoPhases(Supplier<Pending> second) {
      this.second = second;
    }

    private Pending begin() {
      Pending last = begun == null ? second.get() : begun;
      begun = last;
      return last;
    }

    @Override
    public NDList await(NDManager owner) {
      return begin().await(owner);
    }
  }

  /** Begins what is left of the operation before; {@code first} starts the new one. */
  private Pending start(Supplier<Supplier<Pending>> first) {
    TwoPhases before = open;
    if (before != null) {
      before.begin(); // all ranks do so here, so that their messages keep one order
    }
    TwoPhases now = new TwoPhases(first.get());
    open = now;
    return now;
  }

  @Override
  public Pending startAllToAll(NDArray x, Split split, int concatDim) {
    if (flat()) {
      return all.startAllToAll(x, split, concatDim);
    }
    return start(
        () -> {
          Pending arriving = startNear(x, split, concatDim);
          return () -> {
            try (NDManager scope = Torch.newManager()) {
              NDArray ofNode = Torch.concat(scope, arriving.await(scope), concatDim);
              return nodes.startAllToAll(ofNode, far(split), concatDim);
            }
          };
        });
  }

  /**
   * Starts the first phase of an {@link #allToAll}: this rank gets what the ranks of its node have
   * for its like on all nodes, in order of rank, to be joined along {@code concatDim}. A message to
   * another node then holds what B ranks have for one.
   */
  public Pending startNear(NDArray x, Split split, int concatDim) {
    try (NDManager scope = Torch.newManager()) {
      List<NDArray> parts = split.cut(scope, x);
      List<NDArray> byPlace =
          IntStream.range(0, node.size())
              .boxed()
              .flatMap(place -> alike(parts, place).stream())
              .toList();
      NDArray ordered = Torch.concat(scope, byPlace, split.dim());
      return node.startAllToAll(ordered, new Split(split.dim(), sums(split.lengths())), concatDim);
    }
  }

  /** How what comes of the first phase is cut for the second, in which nodes trade. */
  public Split far(Split split) {
    return new Split(split.dim(), alike(split.lengths(), node.rank()));
  }

  /** What the ranks with this place in their node have. */
  private <T> List<T> alike(List<T> ofAll, int place) {
    return IntStream.range(0, nodes.size())
        .mapToObj(other -> ofAll.get(other * node.size() + place))
        .toList();
  }

  private List<Long> sums(List<Long> lengths) {
    return IntStream.range(0, node.size())
        .mapToObj(place -> alike(lengths, place).stream().mapToLong(Long::longValue).sum())
        .toList();
  }

  /** A shard goes once to each other node, and from there to the node's other ranks. */
  @Override
  public Pending startAllGather(NDArray shard) {
    if (flat()) {
      return all.startAllGather(shard);
    }
    return start(
        () -> {
          Pending arriving = nodes.startAllGather(shard);
          return () -> {
            List<Pending> ofNodes = new ArrayList<>();
            try (NDManager scope = Torch.newManager()) {
              arriving.await(scope).forEach(each -> ofNodes.add(node.startAllGather(each)));
            }
            return owner -> {
              NDList shards = new NDList();
              ofNodes.forEach(each -> shards.addAll(each.await(owner)));
              return shards;
            };
          };
        });
  }

  @Override
  public int rank() {
    return all.rank();
  }

  @Override
  public int size() {
    return all.size();
  }

  @Override
  public NDArray allReduceSum(NDManager owner, NDArray partial) {
    return all.allReduceSum(owner, partial);
  }

  @Override
  public List<NDArray> broadcast(NDManager owner, List<NDArray> tensors, int root) {
    return all.broadcast(owner, tensors, root);
  }

  @Override
  public void send(List<NDArray> tensors, int to) {
    all.send(tensors, to);
  }

  @Override
  public Pending receive(int from) {
    return all.receive(from);
  }

  @Override
  public Pending rotate(List<NDArray> tensors) {
    return all.rotate(tensors);
  }

  @Override
  public void barrier() {
    all.barrier();
  }
}
