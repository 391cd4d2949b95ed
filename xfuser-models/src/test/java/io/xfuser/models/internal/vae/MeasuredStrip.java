package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.ElementType;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A strip that counts the tensors alive at the end of each convolution: its input, its output, the
 * residual, and all else that the decoder has not let go.
 *
 * @param inner the strip
 * @param peak the most bytes so far
 */
record MeasuredStrip(Strip inner, AtomicLong peak) implements Strip {
  @Override
  public int index() {
    return inner.index();
  }

  @Override
  public int count() {
    return inner.count();
  }

  /** So that a whole picture goes the way of a strip. */
  @Override
  public boolean isWhole() {
    return false;
  }

  @Override
  public Edges halo(NDArray x) {
    Edges edges = inner.halo(x);
    return owner -> {
      NDManager all = owner;
      for (NDManager above = all.getParentManager();
          above.getParentManager() != null;
          above = all.getParentManager()) {
        all = above;
      }
      long bytes = all.getManagedArrays().stream().mapToLong(ElementType::bytesOf).sum();
      peak.accumulateAndGet(bytes, Math::max);
      return edges.await(owner);
    };
  }

  @Override
  public NDArray gather(NDManager owner, NDArray x, int dim) {
    return inner.gather(owner, x, dim);
  }

  @Override
  public void deliver(NDArray x) {
    inner.deliver(x);
  }

  @Override
  public NDArray collect(NDManager owner, int from) {
    return inner.collect(owner, from);
  }
}
