package io.xfuser.internal.parallel;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.CommunicationException;

/** Tensors on their way to this rank. Must be awaited exactly once. */
@FunctionalInterface
public interface Pending {
  /**
   * Blocks until the tensors are here; {@code owner} will own them.
   *
   * @throws CommunicationException if the peer failed, the request was cancelled or time ran out
   */
  NDList await(NDManager owner);
}
