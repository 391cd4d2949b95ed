package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a text encoder is given of B texts of T tokens.
 *
 * @param ids token ids (B, T), int64
 * @param mask 1 for tokens, 0 for padding, (B, T), int64; null: padding is attended to as text is
 * @param pictures what stands in the place of some tokens of every text; null: nothing
 * @param context sums over the ranks that have the other shares, and hears of each layer
 * @param parts equal parts of the texts, one after another, each of which gets the bits that it has
 *     alone; a divisor of B
 */
public record TextInput(
    NDArray ids,
    @Nullable NDArray mask,
    @Nullable Pictures pictures,
    BlockContext context,
    int parts) {
  public TextInput(NDArray ids, @Nullable NDArray mask, BlockContext context) {
    this(ids, mask, null, context, 1);
  }

  /** The same texts in so many parts. */
  public TextInput in(int someParts) {
    return new TextInput(ids, mask, pictures, context, someParts);
  }

  /** The part of this number, by itself. */
  TextInput part(NDManager scope, int number) {
    NDArray own = part(scope, ids, number);
    NDArray ownMask = mask == null ? null : part(scope, mask, number);
    return new TextInput(own, ownMask, pictures, context, 1);
  }

  private NDArray part(NDManager scope, NDArray all, int number) {
    long each = all.getShape().get(0) / parts;
    return Torch.slice(scope, all, 0, number * each, (number + 1) * each);
  }

  /** Texts without a mask, for a whole encoder. */
  public static TextInput of(NDArray ids) {
    return new TextInput(ids, null, BlockContext.none(List.of()));
  }

  /** The mask, or one that leaves out nothing. */
  NDArray maskOrOnes(NDManager scope) {
    return mask == null ? scope.ones(ids.getShape(), DataType.INT64) : mask;
  }

  /**
   * Pictures among the tokens.
   *
   * @param states what stands in the place of embeddings, (M, C); none on ranks other than the
   *     first, which sums bring it to
   * @param at the columns of ids where they stand, (M) int64
   * @param places where each token stands by which each pair of a head's values turns, (T, D/2)
   *     int64
   */
  record Pictures(List<NDArray> states, NDArray at, NDArray places) {}
}
