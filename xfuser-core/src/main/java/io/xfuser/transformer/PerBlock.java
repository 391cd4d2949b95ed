package io.xfuser.transformer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.IdentityHashMap;
import java.util.function.Function;

/**
 * One tensor for each block, computed when the block first asks and kept as long as the request:
 * keys and values of the text, for example. Belongs to one rank's thread.
 */
public final class PerBlock {
  private final NDManager request;
  private final IdentityHashMap<Block<?>, NDArray> tensors = new IdentityHashMap<>();

  /** Nothing computed yet; {@code request} will own the tensors. */
  public PerBlock(NDManager request) {
    this.request = request;
  }

  /** The tensor of {@code block}; {@code computed} makes it for the owner that it is given. */
  public NDArray get(Block<?> block, Function<NDManager, NDArray> computed) {
    return tensors.computeIfAbsent(block, key -> computed.apply(request));
  }
}
