package io.xfuser.internal.parallel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Operations among the ranks of a group, usually those along one mesh axis. All ranks of the group
 * call the same operations in the same order. Results are owned by the manager given. Tensors sent
 * must never be written again by their sender. A group of one rank sends nothing.
 */
public interface Communicator {
  /** This rank's place in the group. */
  int rank();

  /** Ranks in the group. */
  int size();

  /**
   * The tensors of all ranks in order of rank, joined along {@code dim}; lengths there may differ.
   */
  default NDArray allGather(NDManager owner, NDArray shard, int dim) {
    if (size() == 1) {
      return Torch.alias(owner, shard);
    }
    try (NDManager scope = owner.newSubManager()) {
      return Torch.concat(owner, startAllGather(shard).await(scope), dim);
    }
  }

  /** Starts an {@link #allGather}; the result is the list of all ranks' shards, not joined. */
  Pending startAllGather(NDArray shard);

  /**
   * The sum of all ranks' tensors, the same bits on every rank; in fp16 no further from 0 than the
   * largest number it has.
   */
  NDArray allReduceSum(NDManager owner, NDArray partial);

  /**
   * Cuts {@code x} into contiguous parts, part i for rank i, and joins what arrives along {@code
   * concatDim}. Lengths along both dimensions may be uneven.
   */
  default NDArray allToAll(NDManager owner, NDArray x, Split split, int concatDim) {
    if (size() == 1) {
      return Torch.alias(owner, x);
    }
    try (NDManager scope = owner.newSubManager()) {
      return Torch.concat(owner, startAllToAll(x, split, concatDim).await(scope), concatDim);
    }
  }

  /**
   * Starts an {@link #allToAll}; the result is what arrives, in order of rank, not joined along
   * {@code concatDim}, or joined in part.
   */
  Pending startAllToAll(NDArray x, Split split, int concatDim);

  /** The tensors of rank {@code root}, which passes them; the others pass an empty list. */
  List<NDArray> broadcast(NDManager owner, List<NDArray> tensors, int root);

  /** Sends to rank {@code to}; returns at once. */
  void send(List<NDArray> tensors, int to);

  /** Posts the receive of what rank {@code from} sends next. */
  Pending receive(int from);

  /** Sends to the next rank and posts the receive of what the previous rank sends. */
  Pending rotate(List<NDArray> tensors);

  /** Returns when all ranks have called it. */
  void barrier();

  /** Whether this is the first rank. */
  default boolean isFirst() {
    return rank() == 0;
  }

  /** Whether this is the last rank. */
  default boolean isLast() {
    return rank() == size() - 1;
  }

  /**
   * How a dimension is cut.
   *
   * @param dim the dimension
   * @param lengths the length of each rank's part; they add up to the dimension's length
   */
  record Split(int dim, List<Long> lengths) {
    /** As even as possible: lengths differ by at most one. */
    public static Split even(int dim, long length, int parts) {
      List<Long> lengths =
          LongStream.range(0, parts)
              .mapToObj(i -> length * (i + 1) / parts - length * i / parts)
              .toList();
      return new Split(dim, lengths);
    }

    /**
     * The parts of {@code x}, which share its memory.
     *
     * @throws IllegalArgumentException if the lengths do not add up to the dimension's
     */
    List<NDArray> cut(NDManager owner, NDArray x) {
      long length = x.getShape().get(Math.floorMod(dim, x.getShape().dimension()));
      if (lengths.stream().mapToLong(Long::longValue).sum() != length) {
        throw new IllegalArgumentException(
            "parts of " + lengths + " do not make up a dimension of " + length);
      }
      List<NDArray> parts = new ArrayList<>();
      long from = 0;
      for (long part : lengths) {
        parts.add(Torch.slice(owner, x, dim, from, from + part));
        from += part;
      }
      return parts;
    }
  }
}
