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
 * The queries stay, keys and values, of text too, travel once around the ranks; each part's result
 * is merged by its log-sum-exp (Ring Attention, arXiv 2310.01889). The next keys travel while the
 * present ones are attended.
 *
 * @param ranks the ring
 * @param kernel computes each part
 * @param messages what travels
 */
public record RingAttention(Communicator ranks, AttentionKernel kernel, RingMessages messages)
    implements Attention {
  /** Keys and values themselves travel. */
  public RingAttention(Communicator ranks, AttentionKernel kernel) {
    this(ranks, kernel, RingMessages.WHOLE);
  }

  /**
   * How they change travels, once they are known.
   *
   * @param request owns what is known
   * @param bits of an element, 1, 2 or 4
   * @param whole how many calls, from the first, tell all of it
   */
  public static RingAttention compact(
      NDManager request, Communicator ranks, AttentionKernel kernel, int bits, int whole) {
    return new RingAttention(ranks, kernel, new Residuals(request, bits, whole));
  }

  @Override
  public NDArray attend(NDManager owner, Qkv qkv) {
    String name = Kernels.name(kernel, qkv.packed());
    try (NDManager scope = owner.newSubManager()) {
      NDArray packed = qkv.packed(); // (B, t + l, 3, H, D)
      NDArray own = Kernels.keysAndValues(scope, packed); // (B, t + l, 2, H, D)
      List<NDArray> message = messages.of(scope, own, ranks.rank());
      NDList sum = null; // values (B, H, t + l, D) and log-sum-exp (B, H, t + l, 1)
      for (int hop = 0; hop < ranks.size(); hop++) {
        boolean last = hop == ranks.size() - 1;
        Pending next = last ? null : ranks.rotate(message);
        int rank = Math.floorMod(ranks.rank() - hop, ranks.size());
        List<NDArray> masks = qkv.masks(scope, qkv.text().of(rank)); // of its keys
        long text = qkv.textTokens();
        sum =
            sum == null
                ? Kernels.ATTENTION.callList(scope, "partial", packed, packed, masks, text, name)
                : Kernels.ATTENTION.callList(
                    scope,
                    "merge",
                    packed,
                    messages.read(scope, message, rank),
                    masks,
                    text,
                    sum,
                    name);
        if (next != null) {
          message = next.await(scope);
        }
      }
      if (sum == null) {
        throw new IllegalStateException("a ring of no ranks");
      }
      return Kernels.ATTENTION.call(owner, "finish", sum.get(0), packed);
    }
  }

  @Override
  public long bufferBytes() {
    return messages.bytes();
  }
}
