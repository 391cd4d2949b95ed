package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Weights that remember which of them were read, and how many bytes that was. */
public final class CountedWeights implements Weights {
  private final Weights weights;
  private final String prefix;
  private final Set<String> names;
  private final AtomicLong bytes;

  /** Counts what is read of {@code weights}, from nothing. */
  public CountedWeights(Weights weights) {
    this(weights, "", ConcurrentHashMap.newKeySet(), new AtomicLong());
  }

  private CountedWeights(Weights weights, String prefix, Set<String> names, AtomicLong bytes) {
    this.weights = weights;
    this.prefix = prefix;
    this.names = names;
    this.bytes = bytes;
  }

  /** Whether the tensor of this full name was read. */
  public boolean read(String name) {
    return names.contains(name);
  }

  /** Bytes of all that was read. */
  public long bytes() {
    return bytes.get();
  }

  @Override
  public Weights at(String more) {
    return new CountedWeights(weights, prefix + more, names, bytes);
  }

  @Override
  public boolean has(String name) {
    return weights.has(prefix + name);
  }

  @Override
  public NDArray get(NDManager owner, String name, long... shape) {
    return counted(name, weights.get(owner, prefix + name, shape));
  }

  @Override
  public NDArray get(NDManager owner, Cut cut, String name, long... shape) {
    return counted(name, weights.get(owner, cut, prefix + name, shape));
  }

  private NDArray counted(String name, NDArray tensor) {
    names.add(prefix + name);
    bytes.addAndGet(ElementType.bytesOf(tensor));
    return tensor;
  }
}
