package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.torchscript.Torch;
import java.util.Arrays;
import java.util.List;

/** Token ids of several texts, all padded to one length, and which of them are not padding. */
public final class TokenIds {
  private final int length;
  private final long[][] ids;
  private final long[][] mask;

  private TokenIds(int length, long[][] ids, long[][] mask) {
    this.length = length;
    this.ids = ids;
    this.mask = mask;
  }

  /** Pads each text's ids, at most {@code length}, to {@code length} with {@code padding}. */
  public static TokenIds pad(List<long[]> texts, int length, long padding) {
    long[][] ids = new long[texts.size()][];
    long[][] mask = new long[texts.size()][length];
    for (int i = 0; i < ids.length; i++) {
      long[] text = texts.get(i);
      ids[i] = Arrays.copyOf(text, length);
      Arrays.fill(ids[i], text.length, length, padding);
      Arrays.fill(mask[i], 0, text.length, 1);
    }
    return new TokenIds(length, ids, mask);
  }

  /** The same without the columns that are padding of every text; at least one stays. */
  public TokenIds trimmed() {
    int longest =
        Arrays.stream(mask).mapToInt(row -> (int) Arrays.stream(row).sum()).max().orElse(0);
    int kept = Math.max(1, longest);
    return new TokenIds(kept, columns(ids, kept), columns(mask, kept));
  }

  /** The same texts with their padding, which is on the right, on the left. */
  public TokenIds paddedLeft() {
    return new TokenIds(length, turned(ids), turned(mask));
  }

  private long[][] turned(long[][] rows) {
    long[][] turned = new long[rows.length][length];
    for (int i = 0; i < rows.length; i++) {
      int text = (int) Arrays.stream(mask[i]).sum();
      System.arraycopy(rows[i], text, turned[i], 0, length - text);
      System.arraycopy(rows[i], 0, turned[i], length - text, text);
    }
    return turned;
  }

  private static long[][] columns(long[][] rows, int count) {
    return Arrays.stream(rows).map(row -> Arrays.copyOf(row, count)).toArray(long[][]::new);
  }

  /** The number of texts, B. */
  public int count() {
    return ids.length;
  }

  /** The number of tokens of each text with its padding, T. */
  public int length() {
    return length;
  }

  /** The ids by text and token: a copy. */
  public long[][] ids() {
    return copy(ids);
  }

  /** The largest id, 0 of no texts. */
  long largest() {
    return Arrays.stream(ids).flatMapToLong(Arrays::stream).max().orElse(0);
  }

  /** 1 for a token of the text, 0 for padding, by text and token: a copy. */
  public long[][] mask() {
    return copy(mask);
  }

  /** The ids as a tensor (B, T) of int64. */
  public NDArray ids(NDManager owner) {
    return tensor(owner, ids);
  }

  /** The mask as a tensor (B, T) of int64. */
  public NDArray mask(NDManager owner) {
    return tensor(owner, mask);
  }

  /** Refuses ids and a mask that are not both (texts, tokens). */
  static void checkShapes(NDArray ids, NDArray mask) {
    Shape shape = ids.getShape();
    if (shape.dimension() != 2 || !shape.equals(mask.getShape())) {
      throw new IllegalArgumentException(
          "ids and mask must both be (texts, tokens), got " + shape + " and " + mask.getShape());
    }
  }

  private NDArray tensor(NDManager owner, long[][] rows) {
    long[] flat = Arrays.stream(rows).flatMapToLong(Arrays::stream).toArray();
    try (NDManager scope = owner.newSubManager()) {
      // in libtorch's memory: it may be sent to other ranks
      return Torch.copy(owner, scope.create(flat, new Shape(rows.length, length)));
    }
  }

  private static long[][] copy(long[][] rows) {
    return Arrays.stream(rows).map(long[]::clone).toArray(long[][]::new);
  }
}
