package io.xfuser.internal.parallel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Collective operations made of messages between pairs of ranks. Every rank sends each element once
 * to each rank that needs it, so the bytes sent are those of the formulas in {@code docs/methods}.
 */
final class MessageCommunicator implements Communicator {
  private final Group group;
  private final Exchange messages;
  private final ByteCounter counter;

  MessageCommunicator(Group group, Exchange messages, ByteCounter counter) {
    this.group = group;
    this.messages = messages;
    this.counter = counter;
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
  public NDArray allGather(NDManager owner, NDArray shard, int dim) {
    if (size() == 1) {
      return Torch.alias(owner, shard);
    }
    try (NDManager scope = owner.newSubManager()) {
      return Torch.concat(owner, startAllGather(shard).await(scope), dim);
    }
  }

  @Override
  public Pending startAllGather(NDArray shard) {
    group.peers().forEach(peer -> count(List.of(shard)));
    List<Pending> arriving = messages.allGather(shard);
    SharedTensor shared = SharedTensor.of(shard);
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
      NDArray parts =
          exchange(scope, flat, Split.even(0, flat.size(), size()), "all-reduce", TensorSums::sum);
      return TensorSums.shaped(owner, allGather(scope, parts, 0), partial);
    }
  }

  @Override
  public NDArray allToAll(NDManager owner, NDArray x, Split split, int concatDim) {
    if (size() == 1) {
      return Torch.alias(owner, x);
    }
    return exchange(
        owner, x, split, "all-to-all", (to, parts) -> Torch.concat(to, parts, concatDim));
  }

  private NDArray exchange(
      NDManager owner, NDArray x, Split split, String operation, Joiner joiner) {
    if (split.lengths().size() != size()) {
      throw new IllegalArgumentException(
          split.lengths().size() + " parts for " + size() + " ranks of " + group.channel().label());
    }
    long parted = split.lengths().stream().mapToLong(Long::longValue).sum();
    long length = x.getShape().get(Math.floorMod(split.dim(), x.getShape().dimension()));
    if (parted != length) {
      throw new IllegalArgumentException(
          "parts of " + split.lengths() + " do not make up a dimension of " + length);
    }
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> own = new ArrayList<>();
      long from = 0;
      for (int peer = 0; peer < size(); peer++) {
        long to = from + split.lengths().get(peer);
        own.add(Torch.contiguous(scope, Torch.slice(scope, x, split.dim(), from, to)));
        from = to;
      }
      Exchange.Round round =
          Exchange.Round.withAll(group, operation, peer -> List.of(own.get(peer)));
      List<Pending> arriving = play(round);
      List<NDArray> parts = new ArrayList<>();
      int next = 0;
      for (int peer = 0; peer < size(); peer++) {
        parts.add(
            peer == rank()
                ? own.get(rank())
                : arriving.get(next++).await(scope).singletonOrThrow());
      }
      return joiner.join(owner, parts);
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
    count(tensors);
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
    round.outgoing().values().forEach(this::count);
    return messages.play(round);
  }

  private void count(List<NDArray> tensors) {
    counter.add(group.channel(), tensors.stream().mapToLong(ElementType::bytesOf).sum());
  }

  private interface Joiner {
    NDArray join(NDManager owner, List<NDArray> parts);
  }
}
