package io.xfuser.internal.picture;

import java.util.Arrays;

/**
 * A lossy picture of a WebP file: a key frame of VP8, as libwebp decodes it, to the last bit.
 * Source: RFC 6386; libwebp where that leaves something open.
 */
final class Vp8Frame {
  /** Bytes of a frame before what is coded arithmetically. */
  private static final int HEADER = 10;

  private static final int SIDE = 16; // of a macroblock
  private static final int HALF = SIDE / 2; // of its chroma
  private static final int BLOCK = 4;
  private static final int NOT_KEY = 1;
  private static final int START = 0x9D012A;
  private static final int[] MODES_AS_BLOCKS = {0, 2, 3, 1}; // mean, vertical, horizontal, motion

  /** Where the tree of modes branches, the mode of a leaf being under 0. */
  private static final int[] TREE = {
    0, 2, -1, 4, -2, 6, 8, 12, -3, 10, -5, -6, -4, 14, -7, 16, -8, -9
  };

  private final Vp8Tables tables = Vp8Tables.read();
  private final byte[] file;
  private final int end;
  private final int width;
  private final int height;
  private final int columns;
  private final int rows;
  private final Vp8Header header;
  private final Vp8Bits modes;
  private final Vp8Bits[] partitions;
  private final Vp8Coefficients coefficients;
  private final int[][][] steps = new int[4][][];
  private final Vp8Plane luma;
  private final Vp8Plane blue;
  private final Vp8Plane red;

  /** Of each macroblock how much it is smoothed, and whether its blocks are, too. */
  private final int[] levels;

  private final boolean[] inner;

  /** Modes of the blocks above and to the left. */
  private final int[] above;

  private final int[] left = new int[BLOCK];

  /**
   * How large a frame is.
   *
   * @return width and height
   */
  static int[] size(byte[] file, int from, int end) {
    Blocks bytes = new Blocks(file);
    if (end - from < HEADER
        || (file[from] & NOT_KEY) != 0
        || bytes.number(from + 3, 3, true) != START) {
      throw new IllegalArgumentException("it begins with no picture");
    }
    return new int[] {
      (int) bytes.number(from + 6, 2, false) & 0x3FFF,
      (int) bytes.number(from + 8, 2, false) & 0x3FFF
    };
  }

  private Vp8Frame(byte[] file, int from, int end) {
    this.file = file;
    this.end = end;
    int[] size = size(file, from, end);
    width = size[0];
    height = size[1];
    columns = (width + SIDE - 1) / SIDE;
    rows = (height + SIDE - 1) / SIDE;
    int first = (int) new Blocks(file).number(from, 3, false) >> 5;
    int rest = from + HEADER + first;
    if (rest > end) {
      throw new IllegalArgumentException("it ends too early");
    }
    modes = new Vp8Bits(file, from + HEADER, rest);
    header = Vp8Header.read(modes, tables);
    partitions = partitions(rest);
    coefficients = new Vp8Coefficients(header.odds());
    Arrays.setAll(steps, kind -> header.multipliers(kind, tables));
    luma = new Vp8Plane(columns * SIDE, rows * SIDE);
    blue = new Vp8Plane(columns * HALF, rows * HALF);
    red = new Vp8Plane(columns * HALF, rows * HALF);
    levels = new int[columns * rows];
    inner = new boolean[columns * rows];
    above = new int[columns * BLOCK];
  }

  /**
   * The colours of the frame that lies from byte {@code from} to {@code end}.
   *
   * @throws IllegalArgumentException if it is none, or broken
   */
  static Bitmap read(byte[] file, int from, int end) {
    Vp8Frame frame = new Vp8Frame(file, from, end);
    frame.decode();
    if (frame.header.filter().level() > 0) {
      frame.smooth();
    }
    return new Vp8Colours(frame.luma, frame.blue, frame.red).bitmap(frame.width, frame.height);
  }

  private Vp8Bits[] partitions(int from) {
    Vp8Bits[] all = new Vp8Bits[header.partitions()];
    Blocks bytes = new Blocks(file);
    int at = from + 3 * (all.length - 1);
    for (int i = 0; i < all.length; i++) {
      boolean last = i == all.length - 1;
      int length = last ? end - at : (int) bytes.number(from + 3 * i, 3, false);
      if (length < 0 || at + length > end) {
        throw new IllegalArgumentException("it ends too early");
      }
      all[i] = new Vp8Bits(file, at, at + length);
      at += length;
    }
    return all;
  }

  private void decode() {
    int[][] seenAbove = new int[columns][];
    Arrays.setAll(seenAbove, i -> Vp8Coefficients.nothing());
    for (int y = 0; y < rows; y++) {
      int[] seenLeft = Vp8Coefficients.nothing();
      Arrays.fill(left, 0);
      Vp8Bits bits = partitions[y % partitions.length];
      for (int x = 0; x < columns; x++) {
        macroblock(x, y, bits, seenLeft, seenAbove[x]);
      }
    }
  }

  private void macroblock(int x, int y, Vp8Bits bits, int[] seenLeft, int[] seenAbove) {
    int kind = header.mapped() ? kind() : 0;
    boolean skips = header.skipOdds() >= 0 && modes.bit(header.skipOdds()) == 1;
    int mode = mode();
    boolean blocks = mode == Vp8Prediction.BLOCKS;
    int[] ofBlocks = blockModes(x, mode);
    int chroma = chromaMode();
    boolean any = false;
    if (skips) {
      coefficients.none(!blocks, seenLeft, seenAbove);
    } else {
      any = coefficients.read(bits, !blocks, steps[kind], seenLeft, seenAbove);
    }
    int place = y * columns + x;
    levels[place] = header.level(kind, blocks);
    inner[place] = blocks || any;
    luma(x * SIDE, y * SIDE, mode, ofBlocks);
    chroma(blue, x * HALF, y * HALF, chroma, SIDE);
    chroma(red, x * HALF, y * HALF, chroma, SIDE + BLOCK);
  }

  private int kind() {
    int[] odds = header.segmentOdds();
    return modes.bit(odds[0]) == 0 ? modes.bit(odds[1]) : 2 + modes.bit(odds[2]);
  }

  private int mode() {
    if (modes.bit(145) == 0) {
      return Vp8Prediction.BLOCKS;
    }
    return modes.bit(156) == 0
        ? modes.bit(163) == 0 ? Vp8Prediction.MEAN : Vp8Prediction.VERTICAL
        : modes.bit(128) == 0 ? Vp8Prediction.HORIZONTAL : Vp8Prediction.MOTION;
  }

  private int chromaMode() {
    if (modes.bit(142) == 0) {
      return Vp8Prediction.MEAN;
    } else if (modes.bit(114) == 0) {
      return Vp8Prediction.VERTICAL;
    }
    return modes.bit(183) == 0 ? Vp8Prediction.HORIZONTAL : Vp8Prediction.MOTION;
  }

  /** The modes of 16 blocks, read or those of the macroblock, for what is read after them. */
  private int[] blockModes(int x, int mode) {
    int[] all = new int[BLOCK * BLOCK];
    if (mode != Vp8Prediction.BLOCKS) {
      Arrays.fill(left, MODES_AS_BLOCKS[mode]);
      Arrays.fill(above, x * BLOCK, (x + 1) * BLOCK, MODES_AS_BLOCKS[mode]);
      return all;
    }
    for (int i = 0; i < all.length; i++) {
      int column = x * BLOCK + i % BLOCK;
      all[i] = blockMode((above[column] * 10 + left[i / BLOCK]) * 9);
      above[column] = all[i];
      left[i / BLOCK] = all[i];
    }
    return all;
  }

  private int blockMode(int odds) {
    int node = 0;
    do {
      node = TREE[node + modes.bit(tables.blockModes()[odds + node / 2])];
    } while (node > 0);
    return -node;
  }

  private void luma(int x, int y, int mode, int[] ofBlocks) {
    if (mode != Vp8Prediction.BLOCKS) {
      Vp8Prediction.square(luma, x, y, SIDE, mode);
    }
    for (int i = 0; i < BLOCK * BLOCK; i++) {
      int left4 = x + i % BLOCK * BLOCK;
      int top = y + i / BLOCK * BLOCK;
      if (mode == Vp8Prediction.BLOCKS) {
        Vp8Prediction.block(luma, left4, top, ofBlocks[i], right(x, y, left4, top));
      }
      Vp8Prediction.add(luma, left4, top, coefficients.values(), i * SIDE);
    }
  }

  /** The pixels above a block to its right; beyond the macroblock those above all of it. */
  private int[] right(int x, int y, int left4, int top) {
    boolean beyond = left4 + BLOCK == x + SIDE;
    boolean last = beyond && y > 0 && x + SIDE == columns * SIDE;
    int row = (beyond ? y : top) - 1;
    int[] right = new int[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
      right[i] = luma.get(last ? x + SIDE - 1 : left4 + BLOCK + i, row);
    }
    return right;
  }

  private void chroma(Vp8Plane plane, int x, int y, int mode, int block) {
    Vp8Prediction.square(plane, x, y, HALF, mode);
    for (int i = 0; i < BLOCK; i++) {
      Vp8Prediction.add(
          plane, x + i % 2 * BLOCK, y + i / 2 * BLOCK, coefficients.values(), (block + i) * SIDE);
    }
  }

  private void smooth() {
    boolean simple = header.filter().simple();
    for (int i = 0; i < levels.length; i++) {
      if (levels[i] > 0) {
        Vp8Filter filter = Vp8Filter.of(levels[i], header.filter().sharpness());
        int x = i % columns;
        int y = i / columns;
        filter.smooth(luma, x * SIDE, y * SIDE, SIDE, inner[i], simple);
        if (!simple) {
          filter.smooth(blue, x * HALF, y * HALF, HALF, inner[i], false);
          filter.smooth(red, x * HALF, y * HALF, HALF, inner[i], false);
        }
      }
    }
  }
}
