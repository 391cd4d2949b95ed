package io.xfuser.models.internal.parts;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.transformer.Part;
import java.util.IdentityHashMap;
import java.util.function.Function;

/**
 * One tensor for each block, or another part, computed when it first asks and kept as long as the
 * request, or the step: keys and values of the text, for example. Belongs to one rank's thread.
 */
public final class PerBlock {
  private final NDManager owner;
  private final IdentityHashMap<Part, NDArray> tensors = new IdentityHashMap<>();

  /** Nothing computed yet; {@code owner} will own the tensors. */
  public PerBlock(NDManager owner) {
    this.owner = owner;
  }

  /** The tensor of {@code block}; {@code computed} makes it for the owner that it is given. */
  public NDArray get(Part block, Function<NDManager, NDArray> computed) {
    return tensors.computeIfAbsent(block, key -> computed.apply(owner));
  }
}
