package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Communicator.Split;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.torchscript.Torch;

/** How Ulysses ranks trade their tokens' queries, keys and values for those of their heads. */
public interface HeadTrade {
  /** The dimension of tokens in (B, l, 3, H, D). */
  int TOKENS = 1;

  /** The dimension of queries, keys and values. */
  int PARTS = 2;

  /** The dimension of heads. */
  int HEADS = 3;

  /**
   * Queries, keys and values (B, l·U, 3, H/U, D) of this rank's heads, of the image tokens of all
   * ranks; of {@code qkv} all heads, of the image tokens of this rank.
   */
  NDArray toHeads(NDManager owner, Qkv qkv);

  /** Bytes of what is kept between calls. */
  default long bufferBytes() {
    return 0;
  }

  /** All of them at once. */
  static HeadTrade together(Communicator ranks) {
    return (owner, qkv) -> {
      try (NDManager scope = owner.newSubManager()) {
        return ranks.allToAll(owner, image(scope, qkv), byHeads(qkv, ranks), TOKENS);
      }
    };
  }

  /**
   * Values before queries and keys, if something is left to do to these: they travel meanwhile
   * (V-First, arXiv 2604.14561).
   */
  static HeadTrade valuesFirst(Communicator ranks) {
    return (owner, qkv) -> {
      if (!qkv.unfinished()) {
        return together(ranks).toHeads(owner, qkv);
      }
      try (NDManager scope = owner.newSubManager()) {
        Split heads = byHeads(qkv, ranks);
        Pending values = ranks.startAllToAll(qkv.values(scope), heads, TOKENS);
        NDArray rest = Torch.slice(scope, image(scope, qkv), PARTS, 0, 2); // (B, l, 2, H, D)
        NDList others = ranks.startAllToAll(rest, heads, TOKENS).await(scope);
        return Kernels.ATTENTION.call(owner, "with_values", others, values.await(scope));
      }
    };
  }

  /** Queries, keys and values (B, l, 3, H, D) of the image tokens. */
  static NDArray image(NDManager owner, Qkv qkv) {
    return Torch.slice(owner, qkv.packed(), TOKENS, qkv.textTokens(), qkv.tokens());
  }

  /** Each rank gets its heads. */
  static Split byHeads(Qkv qkv, Communicator ranks) {
    return Split.even(HEADS, qkv.heads(), ranks.size());
  }
}
