package io.xfuser.internal.picture;

import java.util.Arrays;

/**
 * The coefficients of one macroblock, of 25 blocks: 16 of luma, 4 and 4 of chroma, and one of the
 * means of luma's. Source: RFC 6386, section 13; libwebp where that counts blocks without
 * coefficients.
 */
final class Vp8Coefficients {
  private static final int LUMA = 16;
  private static final int BLOCKS = 24;
  private static final int SIDE = 4;

  /** Kinds of blocks in the tables of probabilities. */
  private static final int OTHERS = 0; // luma but for its mean

  private static final int MEANS = 1;
  private static final int CHROMA = 2;
  private static final int WHOLE = 3;

  private static final int[] BANDS = {0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 0};
  private static final int[] ORDER = {0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15};

  /** Probabilities of the digits of large values. */
  private static final int[][] DIGITS = {
    {173, 148, 140},
    {176, 155, 140, 135},
    {180, 157, 141, 134, 130},
    {254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129}
  };

  private final int[] odds;
  private final int[] values = new int[BLOCKS * LUMA];
  private final int[] means = new int[LUMA];

  /** With these probabilities (4, 8, 3, 11). */
  Vp8Coefficients(int[] odds) {
    this.odds = odds;
  }

  /** 16 of each block, its rows one after the other. */
  int[] values() {
    return values;
  }

  /** What is to the left or above: whether blocks there had coefficients; the means' is last. */
  static int[] nothing() {
    return new int[2 * SIDE + 1];
  }

  /**
   * Reads those of a macroblock.
   *
   * @param withMeans whether luma's means are a block of their own
   * @param steps by which they are multiplied: of luma, means, chroma
   * @param left whether blocks to the left had coefficients, told anew
   * @param above the same above
   * @return whether there is one that is not 0
   */
  boolean read(Vp8Bits bits, boolean withMeans, int[][] steps, int[] left, int[] above) {
    Arrays.fill(values, 0);
    if (withMeans) {
      Arrays.fill(means, 0);
      int last = 2 * SIDE;
      int end = block(bits, MEANS, left[last] + above[last], steps[1], 0, means, 0);
      left[last] = end > 0 ? 1 : 0;
      above[last] = left[last];
      spread();
    }
    boolean any = false;
    int first = withMeans ? 1 : 0;
    int kind = withMeans ? OTHERS : WHOLE;
    for (int i = 0; i < LUMA; i++) {
      int y = i / SIDE;
      int x = i % SIDE;
      int end = block(bits, kind, left[y] + above[x], steps[0], first, values, i * LUMA);
      left[y] = end > first ? 1 : 0;
      above[x] = left[y];
      any |= end > 1 || values[i * LUMA] != 0;
    }
    for (int i = LUMA; i < BLOCKS; i++) {
      int plane = SIDE + (i - LUMA) / SIDE * 2;
      int y = plane + i % SIDE / 2;
      int x = plane + i % 2;
      int end = block(bits, CHROMA, left[y] + above[x], steps[2], 0, values, i * LUMA);
      left[y] = end > 0 ? 1 : 0;
      above[x] = left[y];
      any |= end > 1 || values[i * LUMA] != 0;
    }
    return any;
  }

  /** That a macroblock has none. */
  void none(boolean withMeans, int[] left, int[] above) {
    Arrays.fill(values, 0);
    int end = withMeans ? left.length : left.length - 1;
    Arrays.fill(left, 0, end, 0);
    Arrays.fill(above, 0, end, 0);
  }

  /** Reads a block from its coefficient {@code at} on, and says how many there are with zeros. */
  private int block(Vp8Bits bits, int kind, int seen, int[] steps, int at, int[] out, int from) {
    int p = place(kind, at, seen);
    for (int n = at; n < LUMA; n++) {
      if (bits.bit(odds[p]) == 0) {
        return n;
      }
      while (bits.bit(odds[p + 1]) == 0) {
        n++;
        if (n == LUMA) {
          return LUMA;
        }
        p = place(kind, n, 0);
      }
      int size = 1;
      if (bits.bit(odds[p + 2]) == 1) {
        size = large(bits, p);
      }
      p = place(kind, n + 1, size == 1 ? 1 : 2);
      out[from + ORDER[n]] = (bits.flag() ? -size : size) * steps[n > 0 ? 1 : 0];
    }
    return LUMA;
  }

  private static int place(int kind, int coefficient, int seen) {
    return ((kind * 8 + BANDS[coefficient]) * 3 + seen) * 11;
  }

  private int large(Vp8Bits bits, int p) {
    if (bits.bit(odds[p + 3]) == 0) {
      return bits.bit(odds[p + 4]) == 0 ? 2 : 3 + bits.bit(odds[p + 5]);
    }
    if (bits.bit(odds[p + 6]) == 0) {
      return bits.bit(odds[p + 7]) == 0 ? 5 + bits.bit(159) : 7 + 2 * bits.bit(165) + bits.bit(145);
    }
    int high = bits.bit(odds[p + 8]);
    int digits = 2 * high + bits.bit(odds[p + 9 + high]);
    int value = 0;
    for (int odd : DIGITS[digits]) {
      value = 2 * value + bits.bit(odd);
    }
    return value + 3 + (8 << digits);
  }

  /** The means of luma's blocks: the inverse Walsh-Hadamard transform. */
  private void spread() {
    int[] columns = new int[LUMA];
    for (int i = 0; i < SIDE; i++) {
      int a = means[i] + means[12 + i];
      int b = means[4 + i] + means[8 + i];
      int c = means[4 + i] - means[8 + i];
      int d = means[i] - means[12 + i];
      columns[i] = a + b;
      columns[8 + i] = a - b;
      columns[4 + i] = d + c;
      columns[12 + i] = d - c;
    }
    for (int i = 0; i < SIDE; i++) {
      int first = columns[4 * i] + 3;
      int a = first + columns[4 * i + 3];
      int b = columns[4 * i + 1] + columns[4 * i + 2];
      int c = columns[4 * i + 1] - columns[4 * i + 2];
      int d = first - columns[4 * i + 3];
      int[] out = {a + b, d + c, a - b, d - c};
      for (int x = 0; x < SIDE; x++) {
        values[(SIDE * i + x) * LUMA] = out[x] >> 3;
      }
    }
  }
}
