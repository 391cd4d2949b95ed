package io.xfuser.internal.picture;

/**
 * Predicts squares of pixels by those above and to the left of them, and adds what differs. Source:
 * RFC 6386, sections 12 and 14; at the right edge as libwebp does it.
 */
final class Vp8Prediction {
  static final int MEAN = 0;
  static final int VERTICAL = 1;
  static final int HORIZONTAL = 2;
  static final int MOTION = 3; // left + above - corner
  static final int BLOCKS = 4; // each block of 4 x 4 has its own mode

  /** Modes of blocks, in the order of the tables of probabilities. */
  private static final int BLOCK_MEAN = 0;

  private static final int BLOCK_MOTION = 1;
  private static final int EDGE = 15;
  private static final int CORNER = 5; // where it is among the pixels of the edge
  private static final int SIDE = 4;

  private Vp8Prediction() {}

  /** Predicts a square of {@code side} pixels as a whole. */
  static void square(Vp8Plane plane, int left, int top, int side, int mode) {
    int mean = mode == MEAN ? mean(plane, left, top, side) : 0;
    int corner = plane.get(left - 1, top - 1);
    for (int y = top; y < top + side; y++) {
      int before = plane.get(left - 1, y);
      for (int x = left; x < left + side; x++) {
        int above = plane.get(x, top - 1);
        plane.set(
            x,
            y,
            switch (mode) {
              case MEAN -> mean;
              case VERTICAL -> above;
              case HORIZONTAL -> before;
              default -> Vp8Plane.clip(before + above - corner);
            });
      }
    }
  }

  /** Of the pixels above and to the left that are in the picture. */
  private static int mean(Vp8Plane plane, int left, int top, int side) {
    int sum = 0;
    int count = (top > 0 ? side : 0) + (left > 0 ? side : 0);
    for (int i = 0; i < side; i++) {
      sum += (top > 0 ? plane.get(left + i, top - 1) : 0);
      sum += (left > 0 ? plane.get(left - 1, top + i) : 0);
    }
    return count == 0 ? 128 : (sum + count / 2) / count;
  }

  /**
   * Predicts a block of 4 x 4.
   *
   * @param right the 4 pixels above it to the right
   */
  static void block(Vp8Plane plane, int left, int top, int mode, int[] right) {
    if (mode == BLOCK_MEAN) {
      int sum = SIDE;
      for (int i = 0; i < SIDE; i++) {
        sum += plane.get(left + i, top - 1) + plane.get(left - 1, top + i);
      }
      fill(plane, left, top, sum >> 3);
    } else if (mode == BLOCK_MOTION) {
      square(plane, left, top, SIDE, MOTION);
    } else {
      int[] edge = edge(plane, left, top, right);
      for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
          plane.set(left + x, top + y, smoothed(edge, mode, x, y));
        }
      }
    }
  }

  private static void fill(Vp8Plane plane, int left, int top, int value) {
    for (int y = 0; y < SIDE; y++) {
      for (int x = 0; x < SIDE; x++) {
        plane.set(left + x, top + y, value);
      }
    }
  }

  /** From the lowest pixel on the left over the corner to the last on the right, ends twice. */
  private static int[] edge(Vp8Plane plane, int left, int top, int[] right) {
    int[] edge = new int[EDGE];
    for (int i = 0; i < SIDE; i++) {
      edge[CORNER - 1 - i] = plane.get(left - 1, top + i);
      edge[CORNER + 1 + i] = plane.get(left + i, top - 1);
      edge[CORNER + 1 + SIDE + i] = right[i];
    }
    edge[CORNER] = plane.get(left - 1, top - 1);
    edge[0] = edge[1];
    edge[EDGE - 1] = edge[EDGE - 2];
    return edge;
  }

  /** One pixel of a block: the edge in one of eight directions. */
  private static int smoothed(int[] edge, int mode, int x, int y) {
    int right = 2 * x - y;
    int down = 2 * y - x;
    int up = x + 2 * y;
    return switch (mode) {
      case 2 -> three(edge, CORNER + 1 + x); // up
      case 3 -> three(edge, CORNER - 1 - y); // left
      case 4 -> three(edge, CORNER + 2 + x + y); // up and right
      case 5 -> three(edge, CORNER + x - y); // up and left
      case 6 -> // up and a little left
          right >= 0
              ? between(edge, CORNER, right)
              : three(edge, right == -1 ? CORNER : CORNER + 1 + right);
      case 7 -> upAndLittleRight(edge, x, y);
      case 8 -> // left and a little up
          down < -1
              ? three(edge, CORNER - 1 - down)
              : (down & 1) == 0
                  ? two(edge, CORNER - 1 - down / 2)
                  : three(edge, CORNER - (down + 1) / 2);
      default -> // left and a little down
          up > 5 ? edge[0] : (up & 1) == 0 ? two(edge, 3 - up / 2) : three(edge, 3 - (up - 1) / 2);
    };
  }

  private static int between(int[] edge, int first, int halves) {
    return (halves & 1) == 0
        ? two(edge, first + halves / 2)
        : three(edge, first + (halves + 1) / 2);
  }

  private static int upAndLittleRight(int[] edge, int x, int y) {
    if (x == 3 && y >= 2) {
      return three(edge, y == 2 ? CORNER + 6 : CORNER + 7);
    }
    int first = CORNER + 1 + x + y / 2;
    return (y & 1) == 0 ? two(edge, first) : three(edge, first + 1);
  }

  private static int two(int[] edge, int first) {
    return (edge[first] + edge[first + 1] + 1) >> 1;
  }

  private static int three(int[] edge, int middle) {
    return (edge[middle - 1] + 2 * edge[middle] + edge[middle + 1] + 2) >> 2;
  }

  /** Adds the inverse transform of 16 coefficients from {@code at} on to a block. */
  static void add(Vp8Plane plane, int left, int top, int[] coefficients, int at) {
    int[] columns = new int[16];
    for (int i = 0; i < SIDE; i++) {
      int[] out =
          turned(
              coefficients[at + i],
              coefficients[at + 4 + i],
              coefficients[at + 8 + i],
              coefficients[at + 12 + i]);
      System.arraycopy(out, 0, columns, 4 * i, SIDE);
    }
    for (int y = 0; y < SIDE; y++) {
      int[] out = turned(columns[y] + 4, columns[4 + y], columns[8 + y], columns[12 + y]);
      for (int x = 0; x < SIDE; x++) {
        int sum = plane.get(left + x, top + y) + (out[x] >> 3);
        plane.set(left + x, top + y, Vp8Plane.clip(sum));
      }
    }
  }

  private static int[] turned(int c0, int c1, int c2, int c3) {
    int a = c0 + c2;
    int b = c0 - c2;
    int c = sine(c1) - cosine(c3);
    int d = cosine(c1) + sine(c3);
    return new int[] {a + d, b + c, b - c, a - d};
  }

  private static int cosine(int x) {
    return ((x * 20091) >> 16) + x; // sqrt(2) cos(pi / 8)
  }

  private static int sine(int x) {
    return (x * 35468) >> 16; // sqrt(2) sin(pi / 8)
  }
}
