package io.xfuser.internal.picture;

/**
 * What a frame says before its macroblocks. Source: RFC 6386, sections 9.3 to 9.11 and 19.2.
 *
 * @param segments macroblocks are of one of four kinds
 * @param mapped each macroblock says of which
 * @param segmentOdds of the two decisions that say so
 * @param absolute what kinds have is not added to what the frame has
 * @param quantizers of the kinds
 * @param strengths by which the kinds are filtered
 * @param filter of the frame
 * @param partitions of coefficients
 * @param steps of quantization
 * @param odds of coefficients (4, 8, 3, 11)
 * @param skipOdds that a macroblock has coefficients, -1 if all have
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Vp8Header(
    boolean segments,
    boolean mapped,
    int[] segmentOdds,
    boolean absolute,
    int[] quantizers,
    int[] strengths,
    Filter filter,
    int partitions,
    Steps steps,
    int[] odds,
    int skipOdds) {
  private static final int KINDS = 4;
  private static final int ALWAYS = 255;

  /**
   * How edges are smoothed.
   *
   * @param simple luma alone, and two pixels
   * @param level how much
   * @param sharpness how little inside of macroblocks
   * @param delta added where macroblocks are predicted by pictures alone
   * @param blockDelta added where blocks have modes of their own
   */
  record Filter(boolean simple, int level, int sharpness, int delta, int blockDelta) {}

  /**
   * Indices of quantization.
   *
   * @param base of all
   * @param deltas of luma's mean, the means' mean, the means' others, chroma's mean and others
   */
  record Steps(int base, int[] deltas) {}

  /** Reads it; the rest of {@code bits} is of macroblocks. */
  static Vp8Header read(Vp8Bits bits, Vp8Tables tables) {
    bits.number(2); // colour space, and whether sums stay within 8 bits
    boolean segments = bits.flag();
    boolean mapped = segments && bits.flag();
    boolean absolute = false;
    int[] quantizers = new int[KINDS];
    int[] strengths = new int[KINDS];
    int[] segmentOdds = {ALWAYS, ALWAYS, ALWAYS};
    if (segments) {
      if (bits.flag()) {
        absolute = bits.flag();
        told(bits, 7, quantizers);
        told(bits, 6, strengths);
      }
      for (int i = 0; mapped && i < segmentOdds.length; i++) {
        segmentOdds[i] = bits.flag() ? bits.number(8) : ALWAYS;
      }
    }
    Filter filter = filter(bits);
    int partitions = 1 << bits.number(2);
    int base = bits.number(7);
    int[] deltas = new int[5];
    told(bits, 4, deltas);
    bits.flag(); // of the frames that follow
    int[] odds = tables.coefficients().clone();
    for (int i = 0; i < odds.length; i++) {
      if (bits.bit(tables.updates()[i]) == 1) {
        odds[i] = bits.number(8);
      }
    }
    int skipOdds = bits.flag() ? bits.number(8) : -1;
    return new Vp8Header(
        segments,
        mapped,
        segmentOdds,
        absolute,
        quantizers,
        strengths,
        filter,
        partitions,
        new Steps(base, deltas),
        odds,
        skipOdds);
  }

  private static void told(Vp8Bits bits, int width, int[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = bits.optional(width, 0);
    }
  }

  private static Filter filter(Vp8Bits bits) {
    boolean simple = bits.flag();
    int level = bits.number(6);
    int sharpness = bits.number(3);
    int[] references = new int[KINDS];
    int[] modes = new int[KINDS];
    boolean deltas = bits.flag();
    if (deltas && bits.flag()) {
      told(bits, 6, references);
      told(bits, 6, modes);
    }
    return new Filter(simple, level, sharpness, references[0], modes[0]);
  }

  /** What coefficients of a kind are multiplied by: of luma, means and chroma, first and others. */
  int[][] multipliers(int kind, Vp8Tables tables) {
    int base = !segments ? steps.base() : quantizers[kind] + (absolute ? 0 : steps.base());
    int[] deltas = steps.deltas();
    int[] dc = tables.dc();
    int[] ac = tables.ac();
    return new int[][] {
      {dc[index(base + deltas[0], 127)], ac[index(base, 127)]},
      {
        dc[index(base + deltas[1], 127)] * 2,
        Math.max(8, ac[index(base + deltas[2], 127)] * 155 / 100)
      },
      {dc[index(base + deltas[3], 117)], ac[index(base + deltas[4], 127)]}
    };
  }

  private static int index(int value, int most) {
    return Math.max(0, Math.min(most, value));
  }

  /** How much the edges of a macroblock are smoothed, 0 to 63. */
  int level(int kind, boolean blocks) {
    int own = !segments ? filter.level() : strengths[kind] + (absolute ? 0 : filter.level());
    return index(own + filter.delta() + (blocks ? filter.blockDelta() : 0), 63);
  }
}
