package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Keys and values of the whole sequence, written in place.
 *
 * @param keysAndValues (B, T + p, 2, H, D), text first
 * @param text T
 */
record KeyValueBuffer(NDArray keysAndValues, long text) {
  /** Nothing yet, for {@code image} tokens and the text that comes with the first patch. */
  static KeyValueBuffer of(NDManager owner, Qkv first, long image) {
    long text = first.text().total();
    return new KeyValueBuffer(
        Kernels.ATTENTION.call(owner, "new_buffer", first.packed(), text + image), text);
  }

  /** The same values in memory of {@code owner}. */
  KeyValueBuffer copy(NDManager owner) {
    return new KeyValueBuffer(Torch.copy(owner, keysAndValues), text);
  }

  /**
   * Writes keys and values.
   *
   * @param fresh (B, T' + l, 2 or 3, H, D), the last two of them; T' is T or 0
   * @param pieces where the image tokens belong, in their order
   */
  void store(NDManager scope, NDArray fresh, List<TokenRange> pieces) {
    long image = pieces.stream().mapToLong(TokenRange::length).sum();
    LongStream textBounds =
        fresh.getShape().get(1) > image ? LongStream.of(0, text) : LongStream.of();
    LongStream imageBounds =
        pieces.stream()
            .flatMapToLong(piece -> LongStream.of(text + piece.from(), text + piece.to()));
    long[] bounds = LongStream.concat(textBounds, imageBounds).toArray();
    Kernels.ATTENTION.call(scope, "store", keysAndValues, fresh, bounds);
  }

  /**
   * The values (B, t + l, H, D) that queries get of the text and the first {@code image} tokens.
   */
  NDArray attend(NDManager owner, Qkv qkv, long image, AttentionKernel kernel) {
    NDArray packed = qkv.packed();
    String name = Kernels.name(kernel, packed);
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> masks = qkv.masks(scope);
      return Kernels.ATTENTION.call(
          owner, "cached", packed, keysAndValues, text + image, masks, qkv.textTokens(), name);
    }
  }

  long bytes() {
    return ElementType.bytesOf(keysAndValues);
  }
}
