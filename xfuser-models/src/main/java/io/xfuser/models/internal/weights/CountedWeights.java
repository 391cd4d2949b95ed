package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Weights that remember which of them were read, and how many bytes that was. */
public final class CountedWeights extends ForwardingWeights {
  private final Set<String> read = ConcurrentHashMap.newKeySet();
  private final AtomicLong bytes = new AtomicLong();

  /** Counts what is read of {@code weights}, from nothing. */
  public CountedWeights(Weights weights) {
    super(weights);
  }

  /** Whether the tensor of this full name was read. */
  public boolean read(String name) {
    return read.contains(name);
  }

  /** Bytes of all that was read. */
  public long bytes() {
    return bytes.get();
  }

  @Override
  public NDArray get(NDManager owner, String name, long... shape) {
    return counted(name, super.get(owner, name, shape));
  }

  @Override
  public NDArray get(NDManager owner, Cut cut, String name, long... shape) {
    return counted(name, super.get(owner, cut, name, shape));
  }

  private NDArray counted(String name, NDArray tensor) {
    read.add(name);
    bytes.addAndGet(ElementType.bytesOf(tensor));
    return tensor;
  }
}
