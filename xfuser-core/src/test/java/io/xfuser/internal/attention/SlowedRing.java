package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Pending;
import java.time.Duration;
import java.util.List;

/**
 * A ring in which what is computed between posting a rotation and awaiting it lasts longer, as on a
 * slow device. Where nothing is computed between them, nothing is slowed down.
 *
 * @param ranks the ring
 * @param leastNanos what takes at least this long is a computation
 * @param lasts how long it is made to last
 */
record SlowedRing(Communicator ranks, long leastNanos, Duration lasts) implements Communicator {
  @Override
  public Pending rotate(List<NDArray> tensors) {
    long start = System.nanoTime();
    Pending arriving = ranks.rotate(tensors);
    long posted = System.nanoTime();
    return owner -> {
      if (System.nanoTime() - posted >= leastNanos) {
        sleepUntil(start + lasts.toNanos());
      }
      return arriving.await(owner);
    };
  }

  private static void sleepUntil(long nanos) {
    try {
      for (long left = nanos - System.nanoTime(); left > 0; left = nanos - System.nanoTime()) {
        Thread.sleep(left / 1_000_000, (int) (left % 1_000_000));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public int rank() {
    return ranks.rank();
  }

  @Override
  public int size() {
    return ranks.size();
  }

  @Override
  public Pending startAllGather(NDArray shard) {
    throw new UnsupportedOperationException();
  }

  @Override
  public NDArray allReduceSum(NDManager owner, NDArray partial) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Pending startAllToAll(NDArray x, Split split, int concatDim) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<NDArray> broadcast(NDManager owner, List<NDArray> tensors, int root) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void send(List<NDArray> tensors, int to) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Pending receive(int from) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void barrier() {
    throw new UnsupportedOperationException();
  }
}
