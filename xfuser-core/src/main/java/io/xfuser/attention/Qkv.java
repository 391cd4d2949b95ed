package io.xfuser.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.PatchSpan;
import io.xfuser.parallel.Communicator;
import io.xfuser.torchscript.Torch;
import java.util.List;

/**
 * Queries, keys and values of some tokens.
 *
 * @param packed (B, T + l, 3, H, D): queries, keys, values in one buffer, first of the text tokens,
 *     which all ranks of a patch have alike, then of this rank's image tokens
 * @param textTokens T; 0 in attention without text, and without the picture's first patch
 * @param span the patches that the image tokens belong to
 */
public record Qkv(NDArray packed, long textTokens, PatchSpan span) {
  /** Image tokens alone. */
  public Qkv(NDArray packed, PatchSpan span) {
    this(packed, 0, span);
  }

  /** H, the number of heads. */
  public long heads() {
    return packed.getShape().get(3);
  }

  /** T + l. */
  long tokens() {
    return packed.getShape().get(1);
  }

  /**
   * Keys and values of the text and of the image tokens of all ranks of {@code ring}, (B, T + l·R,
   * 2 or 3, H, D): the last two of the third dimension.
   */
  NDArray gathered(NDManager owner, Communicator ring) {
    if (ring.size() == 1) {
      return packed;
    }
    NDArray image = ring.allGather(owner, keysAndValues(owner, packed, textTokens), 1);
    if (textTokens == 0) {
      return image; // (B, l·R, 2, H, D)
    }
    NDArray text = Torch.slice(owner, packed, 1, 0, textTokens); // (B, T, 3, H, D)
    return Torch.concat(owner, List.of(keysAndValues(owner, text, 0), image), 1);
  }

  private static NDArray keysAndValues(NDManager owner, NDArray packed, long from) {
    return Kernels.ATTENTION.call(owner, "key_values", packed, from);
  }
}
