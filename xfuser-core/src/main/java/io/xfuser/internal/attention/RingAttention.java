package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.torchscript.AttentionKernel;
import java.util.List;

/**
 * The queries stay, keys and values travel once around the ranks; each part's result is merged by
 * its log-sum-exp (Ring Attention, arXiv 2310.01889). The next keys travel while the present ones
 * are attended.
 *
 * @param ranks the ring
 * @param kernel computes each part
 */
public record RingAttention(Communicator ranks, AttentionKernel kernel) implements Attention {
  @Override
  public NDArray attend(NDManager owner, Qkv qkv) {
    String name = Kernels.name(kernel, qkv.packed());
    try (NDManager scope = owner.newSubManager()) {
      NDArray packed = qkv.packed(); // (B, T + l, 3, H, D)
      NDArray kv = // (B, l, 2, H, D): every rank has the text, and attends it with its own keys
          Kernels.keysAndValues(scope, packed, qkv.textTokens());
      NDList sum = null; // values (B, H, T + l, D) and log-sum-exp (B, H, T + l, 1)
      for (int hop = 0; hop < ranks.size(); hop++) {
        boolean last = hop == ranks.size() - 1;
        Pending next = last ? null : ranks.rotate(List.of(kv));
        sum =
            sum == null
                ? Kernels.ATTENTION.callList(
                    scope, "partial", packed, packed, qkv.masks(), qkv.textTokens(), name)
                : Kernels.ATTENTION.callList(
                    scope, "merge", packed, kv, sum.get(0), sum.get(1), name);
        if (next != null) {
          kv = next.await(scope).singletonOrThrow();
        }
      }
      if (sum == null) {
        throw new IllegalStateException("a ring of no ranks");
      }
      return Kernels.ATTENTION.call(owner, "finish", sum.get(0), packed);
    }
  }
}
