package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Torch;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * What is to be shown of steps that were taken, until it is: a device may be a step behind.
 *
 * @param request owns it
 * @param parts of the step that is being taken, patch after patch (B, l', c)
 * @param waiting of steps, the earliest first (B, l, c)
 */
record Previews(NDManager request, List<NDArray> parts, Queue<NDArray> waiting) {
  Previews(NDManager request) {
    this(request, new ArrayList<>(), new ArrayDeque<>());
  }

  /** Keeps a patch (B, l', c) of the step that is being taken. */
  void add(NDArray part) {
    parts.add(Torch.alias(request, part));
  }

  /** A step is done. */
  void end() {
    if (!parts.isEmpty()) {
      if (parts.size() == 1) {
        waiting.add(parts.get(0));
      } else {
        waiting.add(Torch.concat(request, parts, 1));
        parts.forEach(NDArray::close); // of every step there may be some
      }
      parts.clear();
    }
  }

  /** What was not shown yet, from one step; null if nothing is known of it. */
  @Nullable NDArray next() {
    return waiting.poll();
  }
}
