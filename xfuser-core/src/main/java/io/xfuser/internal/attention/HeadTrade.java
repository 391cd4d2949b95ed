package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Communicator.Split;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.torchscript.Torch;
import java.util.List;

/** How Ulysses ranks trade their tokens' queries, keys and values for those of their heads. */
public interface HeadTrade {
  /** The dimension of tokens in (B, l, 3, H, D). */
  int TOKENS = 1;

  /** The dimension of queries, keys and values. */
  int PARTS = 2;

  int HEADS = 3;

  /**
   * Queries, keys and values (B, T + l·U, 3, H/U, D) of this rank's heads, of the tokens of all
   * ranks, text first; of {@code qkv} all heads, of the tokens of this rank.
   *
   * @param image how many image tokens each rank has
   */
  NDArray toHeads(NDManager owner, Qkv qkv, List<Long> image);

  /** Bytes of what is kept between calls. */
  default long bufferBytes() {
    return 0;
  }

  /** All of them at once. */
  static HeadTrade together(Communicator ranks) {
    return (owner, qkv, image) -> {
      SharedText text = new SharedText(qkv.text(), ranks);
      try (NDManager scope = owner.newSubManager()) {
        List<NDArray> arrived =
            ranks.startAllToAll(qkv.packed(), byHeads(qkv, ranks), TOKENS).await(scope);
        return text.first(owner, SharedText.cut(scope, arrived, text.lengths(image)));
      }
    };
  }

  /**
   * Values of image tokens before all else, if something is left to do to that: they travel
   * meanwhile (V-First, arXiv 2604.14561).
   */
  static HeadTrade valuesFirst(Communicator ranks) {
    return (owner, qkv, image) -> {
      if (!qkv.unfinished()) {
        return together(ranks).toHeads(owner, qkv, image);
      }
      try (NDManager scope = owner.newSubManager()) {
        Split heads = byHeads(qkv, ranks);
        Pending values = ranks.startAllToAll(qkv.values(scope), heads, TOKENS);
        NDArray rest = Torch.slice(scope, image(scope, qkv), PARTS, 0, 2); // (B, l, 2, H, D)
        NDList others = ranks.startAllToAll(rest, heads, TOKENS).await(scope);
        NDList text = text(scope, qkv, ranks);
        return Kernels.ATTENTION.call(owner, "with_values", others, values.await(scope), text);
      }
    };
  }

  /** Those of all ranks' text in order, each (B, t, 3, H/U, D); none without text. */
  static NDList text(NDManager owner, Qkv qkv, Communicator ranks) {
    if (qkv.text().total() == 0) {
      return new NDList();
    }
    try (NDManager scope = owner.newSubManager()) {
      NDArray own = Torch.slice(scope, qkv.packed(), TOKENS, 0, qkv.textTokens());
      return ranks.startAllToAll(own, byHeads(qkv, ranks), TOKENS).await(owner);
    }
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
