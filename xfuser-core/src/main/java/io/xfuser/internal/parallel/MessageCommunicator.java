package io.xfuser.internal.parallel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntPredicate;

/**
 * Collective operations made of messages between pairs of ranks. Every rank sends each element once
 * to each rank that needs it, so the bytes sent are those of the formulas in {@code docs/methods}.
 */
final class MessageCommunicator implements Communicator {
  private final Group group;
  private final Exchange messages;
  private final ByteCounter counter;
  private final IntPredicate far;

  /**
   * For the ranks of {@code group}.
   *
   * @param far which of its ranks are on other nodes
   */
  MessageCommunicator(Group group, Exchange messages, ByteCounter counter, IntPredicate far) {
    this.group = group;
    this.messages = messages;
    this.counter = counter;
    this.far = far;
  }

  @Override
  public int rank() {
    return group.rank();
  }

  @Override
  public int size() {
    return group.size();
  }

  @Override
  public Pending startAllGather(NDArray shard) {
    if (size() == 1) {
      return withOwn(shard, List.of());
    }
    group.peers().forEach(peer -> count(peer, List.of(shard)));
    return withOwn(shard, messages.allGather(shard));
  }

  /** What all ranks have for this one, in their order; {@code arriving} comes from its peers. */
  private Pending withOwn(NDArray mine, List<Pending> arriving) {
    SharedTensor shared = SharedTensor.of(mine);
    return owner -> {
      try (SharedTensor own = shared) { // released too if a peer fails
        NDList all = new NDList();
        int next = 0;
        for (int peer = 0; peer < size(); peer++) {
          all.add(
              peer == rank()
                  ? own.receive(owner)
                  : arriving.get(next++).await(owner).singletonOrThrow());
        }
        return all;
      }
    };
  }

  @Override
  public NDArray allReduceSum(NDManager owner, NDArray partial) {
    if (size() == 1) {
      return Torch.alias(owner, partial);
    }
    try (NDManager scope = owner.newSubManager()) {
      NDArray flat = TensorSums.flat(scope, partial); // (n)
      // reduce-scatter: part i is summed on rank i, in order of rank; then everybody gets all parts
      Split parts = Split.even(0, flat.size(), size());
      NDArray sum = TensorSums.sum(scope, start(flat, parts, "all-reduce").await(scope));
      return TensorSums.shaped(owner, allGather(scope, sum, 0), partial);
    }
  }

  @Override
  public Pending startAllToAll(NDArray x, Split split, int concatDim) {
    return start(x, split, "all-to-all");
  }

  private Pending start(NDArray x, Split split, String operation) {
    if (split.lengths().size() != size()) {
      throw new IllegalArgumentException(
          split.lengths().size() + " parts for " + size() + " ranks of " + group.channel().label());
    }
    if (size() == 1) {
      return withOwn(x, List.of());
    }
    try (NDManager scope = Torch.newManager()) {
      List<NDArray> parts =
          split.cut(scope, x).stream().map(part -> Torch.contiguous(scope, part)).toList();
      Exchange.Round round =
          Exchange.Round.withAll(group, operation, peer -> List.of(parts.get(peer)));
      return withOwn(parts.get(rank()), play(round));
    }
  }

  @Override
  public List<NDArray> broadcast(NDManager owner, List<NDArray> tensors, int root) {
    if (rank() != root) {
      Exchange.Round round = new Exchange.Round("broadcast", new TreeMap<>(), List.of(root));
      return play(round).get(0).await(owner);
    }
    SortedMap<Integer, List<NDArray>> outgoing = new TreeMap<>();
    group.peers().forEach(peer -> outgoing.put(peer, tensors));
    play(new Exchange.Round("broadcast", outgoing, List.of()));
    return tensors.stream().map(tensor -> Torch.alias(owner, tensor)).toList();
  }

  @Override
  public void send(List<NDArray> tensors, int to) {
    count(to, tensors);
    messages.send(to, tensors);
  }

  @Override
  public Pending receive(int from) {
    return messages.receive(from);
  }

  @Override
  public Pending rotate(List<NDArray> tensors) {
    if (size() == 1) {
      List<SharedTensor> own = tensors.stream().map(SharedTensor::of).toList();
      return owner -> new NDList(own.stream().map(x -> x.receive(owner)).toList());
    }
    int next = (rank() + 1) % size();
    int previous = (rank() + size() - 1) % size();
    SortedMap<Integer, List<NDArray>> outgoing = new TreeMap<>(Map.of(next, tensors));
    return play(new Exchange.Round("rotate", outgoing, List.of(previous))).get(0);
  }

  @Override
  public void barrier() {
    try (NDManager scope = Torch.newManager()) {
      play(Exchange.Round.withAll(group, "barrier", peer -> List.of()))
          .forEach(pending -> pending.await(scope));
    }
  }

  private List<Pending> play(Exchange.Round round) {
    round.outgoing().forEach(this::count);
    return messages.play(round);
  }

  private void count(int to, List<NDArray> tensors) {
    long bytes = tensors.stream().mapToLong(ElementType::bytesOf).sum();
    counter.add(group.channel(), bytes, far.test(to));
  }
}
