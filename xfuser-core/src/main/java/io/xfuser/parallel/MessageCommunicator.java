package io.xfuser.parallel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Collective operations made of messages between pairs of ranks. Every rank sends each element once
 * to each rank that needs it, so the bytes sent are those of the formulas in {@code docs/methods}.
 */
final class MessageCommunicator implements Communicator {
  private final Transport transport;
  private final Channel channel;
  private final List<Integer> members;
  private final ByteCounter counter;
  private final int rank;

  MessageCommunicator(
      Transport transport, Channel channel, List<Integer> members, ByteCounter counter) {
    this.transport = transport;
    this.channel = channel;
    this.members = List.copyOf(members);
    this.counter = counter;
    this.rank = members.indexOf(transport.rank());
    if (rank < 0) {
      throw new IllegalArgumentException("rank " + transport.rank() + " is not one of " + members);
    }
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return members.size();
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
    List<Pending> arriving = new ArrayList<>();
    forEachPeer(
        peer -> {
          post(List.of(shard), peer);
          arriving.add(expect(peer, "all-gather"));
        });
    SharedTensor shared = SharedTensor.of(shard);
    return owner -> {
      try (SharedTensor own = shared) { // released too if a peer fails
        NDList all = new NDList();
        int next = 0;
        for (int peer = 0; peer < size(); peer++) {
          all.add(
              peer == rank
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
          split.lengths().size() + " parts for " + size() + " ranks of " + channel.label());
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
      List<Pending> arriving = new ArrayList<>();
      forEachPeer(
          peer -> {
            post(List.of(own.get(peer)), peer);
            arriving.add(expect(peer, operation));
          });
      List<NDArray> parts = new ArrayList<>();
      int next = 0;
      for (int peer = 0; peer < size(); peer++) {
        parts.add(
            peer == rank ? own.get(rank) : arriving.get(next++).await(scope).singletonOrThrow());
      }
      return joiner.join(owner, parts);
    }
  }

  @Override
  public List<NDArray> broadcast(NDManager owner, List<NDArray> tensors, int root) {
    if (rank != root) {
      return expect(root, "broadcast").await(owner);
    }
    forEachPeer(peer -> post(tensors, peer));
    return tensors.stream().map(tensor -> Torch.alias(owner, tensor)).toList();
  }

  @Override
  public void send(List<NDArray> tensors, int to) {
    post(tensors, to);
  }

  @Override
  public Pending receive(int from) {
    return expect(from, "receive");
  }

  @Override
  public Pending rotate(List<NDArray> tensors) {
    if (size() == 1) {
      List<SharedTensor> own = tensors.stream().map(SharedTensor::of).toList();
      return owner -> new NDList(own.stream().map(x -> x.receive(owner)).toList());
    }
    post(tensors, (rank + 1) % size());
    return expect((rank + size() - 1) % size(), "rotate");
  }

  @Override
  public void barrier() {
    try (NDManager scope = Torch.newManager()) {
      List<Pending> arriving = new ArrayList<>();
      forEachPeer(
          peer -> {
            post(List.of(), peer);
            arriving.add(expect(peer, "barrier"));
          });
      arriving.forEach(pending -> pending.await(scope));
    }
  }

  private void forEachPeer(IntConsumer action) {
    for (int peer = 0; peer < size(); peer++) {
      if (peer != rank) {
        action.accept(peer);
      }
    }
  }

  private void post(List<NDArray> tensors, int peer) {
    counter.add(channel, tensors.stream().mapToLong(ElementType::bytesOf).sum());
    transport.send(channel, members.get(peer), tensors);
  }

  private Pending expect(int peer, String operation) {
    return transport.receive(channel, members.get(peer), operation);
  }

  private interface Joiner {
    NDArray join(NDManager owner, List<NDArray> parts);
  }
}
