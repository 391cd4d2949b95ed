package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.AttentionKernel;
import java.util.List;

/**
 * The queries stay, keys and values, of text too, travel once around the ranks; each part's result
 * is merged by its log-sum-exp (Ring Attention, arXiv 2310.01889). The next keys travel while the
 * present ones are attended.
 *
 * @param ranks the ring
 * @param kernel computes each part
 */
public record RingAttention(Communicator ranks, AttentionKernel kernel) implements Attention {
  @Override
  public NDArray attend(NDManager owner, Qkv qkv) {
    String name = Kernels.name(kernel, qkv.packed());
    try (NDManager scope = owner.newSubManager()) {
      NDArray packed = qkv.packed(); // (B, t + l, 3, H, D)
      NDArray kv = Kernels.keysAndValues(scope, packed); // (B, t + l, 2, H, D)
      NDList sum = null; // values (B, H, t + l, D) and log-sum-exp (B, H, t + l, 1)
      for (int hop = 0; hop < ranks.size(); hop++) {
        boolean last = hop == ranks.size() - 1;
        Pending next = last ? null : ranks.rotate(List.of(kv));
        List<NDArray> masks = qkv.masks(scope, arrived(qkv, hop));
        long text = qkv.textTokens();
        sum =
            sum == null
                ? Kernels.ATTENTION.callList(scope, "partial", packed, packed, masks, text, name)
                : Kernels.ATTENTION.callList(scope, "merge", packed, kv, masks, text, sum, name);
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

  /** Which of the text's keys have come from so many ranks before. */
  private TokenRange arrived(Qkv qkv, int hop) {
    return qkv.text().of(Math.floorMod(ranks.rank() - hop, ranks.size()));
  }
}
