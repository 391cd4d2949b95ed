package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Weights that remember which of them were read, and how many bytes that was. */
public final class CountedWeights extends ForwardingWeights {
  private final Set<String> read;
  private final AtomicLong bytes;

  /** Counts what is read of {@code weights}, from nothing. */
  public CountedWeights(Weights weights) {
    this(weights, ConcurrentHashMap.newKeySet(), new AtomicLong());
  }

  private CountedWeights(Weights weights, Set<String> read, AtomicLong bytes) {
    super(weights);
    this.read = read;
    this.bytes = bytes;
  }

  /** What is read of it counts as read. */
  @Override
  public @Nullable Weights outline() {
    Weights outline = weights.outline();
    return outline == null ? null : new CountedWeights(outline, read, bytes);
  }

  /** Whether the tensor of this full name was read. */
  public boolean read(String name) {
    return read.contains(name);
  }

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

  @Override
  public Optional<InFile> inFile(NDManager owner, Cut cut, String name, long... shape) {
    return weights
        .inFile(owner, cut, name, shape)
        .map(there -> there.told(() -> count(name, there.bytes())));
  }

  private NDArray counted(String name, NDArray tensor) {
    count(name, ElementType.bytesOf(tensor));
    return tensor;
  }

  private void count(String name, long size) {
    read.add(name);
    bytes.addAndGet(size);
  }
}
