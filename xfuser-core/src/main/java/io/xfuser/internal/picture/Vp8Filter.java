package io.xfuser.internal.picture;

/**
 * Smooths the edges of macroblocks and of their blocks. Source: RFC 6386, section 15.
 *
 * @param level how much, 0 to 63
 * @param inside how much pixels beside an edge may differ
 * @param high from which difference on fewer pixels are changed
 */
record Vp8Filter(int level, int inside, int high) {
  /** For a macroblock of {@code level} in a picture of this sharpness. */
  static Vp8Filter of(int level, int sharpness) {
    int inside = level;
    if (sharpness > 0) {
      inside = Math.min(level >> (sharpness > 4 ? 2 : 1), 9 - sharpness);
    }
    return new Vp8Filter(level, Math.max(1, inside), level >= 40 ? 2 : level >= 15 ? 1 : 0);
  }

  /**
   * Smooths a macroblock in one plane.
   *
   * @param side of it in pixels, 16 or 8
   * @param blocks whether the edges of its blocks are, too
   * @param simple whether but two pixels are
   */
  void smooth(Vp8Plane plane, int left, int top, int side, boolean blocks, boolean simple) {
    int first = plane.at(left, top);
    int down = plane.stride();
    int limit = 2 * level + inside;
    if (left > 0) {
      edge(plane.pixels(), first, 1, down, side, limit + 4, true, simple);
    }
    for (int x = 4; blocks && x < side; x += 4) {
      edge(plane.pixels(), first + x, 1, down, side, limit, false, simple);
    }
    if (top > 0) {
      edge(plane.pixels(), first, down, 1, side, limit + 4, true, simple);
    }
    for (int y = 4; blocks && y < side; y += 4) {
      edge(plane.pixels(), first + y * down, down, 1, side, limit, false, simple);
    }
  }

  /**
   * One edge.
   *
   * @param across from a pixel to the next one across the edge
   * @param along from one to the next along it
   */
  private void edge(
      byte[] x, int first, int across, int along, int side, int limit, boolean outer, boolean two) {
    for (int i = 0; i < side; i++) {
      int q = first + i * along;
      if (4 * apart(x, q - across, q) + apart(x, q - 2 * across, q + across) > 2 * limit + 1) {
        continue;
      }
      if (two) {
        inner(x, q, across, true, false);
      } else if (smooth(x, q, across)) {
        boolean steep =
            apart(x, q - 2 * across, q - across) > high || apart(x, q + across, q) > high;
        if (steep || !outer) {
          inner(x, q, across, steep, !steep);
        } else {
          wide(x, q, across);
        }
      }
    }
  }

  private boolean smooth(byte[] x, int q, int across) {
    return apart(x, q - 4 * across, q - 3 * across) <= inside
        && apart(x, q - 3 * across, q - 2 * across) <= inside
        && apart(x, q - 2 * across, q - across) <= inside
        && apart(x, q + 3 * across, q + 2 * across) <= inside
        && apart(x, q + 2 * across, q + across) <= inside
        && apart(x, q + across, q) <= inside;
  }

  private static int apart(byte[] x, int i, int j) {
    return Math.abs((x[i] & 0xFF) - (x[j] & 0xFF));
  }

  private static int signed(int value) {
    return Math.max(-128, Math.min(127, value));
  }

  private static void add(byte[] x, int at, int change) {
    x[at] = (byte) Vp8Plane.clip((x[at] & 0xFF) + change);
  }

  private static int difference(byte[] x, int i, int j) {
    return (x[i] & 0xFF) - (x[j] & 0xFF);
  }

  /** Changes one pixel on each side, or two; the change may look at the pixels beyond. */
  private static void inner(byte[] x, int q, int across, boolean beyond, boolean more) {
    int change = 3 * difference(x, q, q - across);
    if (beyond) {
      change += signed(difference(x, q - 2 * across, q + across));
    }
    int right = Math.max(-16, Math.min(15, (change + 4) >> 3));
    int left = Math.max(-16, Math.min(15, (change + 3) >> 3));
    if (more) {
      int rest = (right + 1) >> 1;
      add(x, q - 2 * across, rest);
      add(x, q + across, -rest);
    }
    add(x, q - across, left);
    add(x, q, -right);
  }

  /** Changes three pixels on each side. */
  private static void wide(byte[] x, int q, int across) {
    int beyond = signed(difference(x, q - 2 * across, q + across));
    int change = signed(3 * difference(x, q, q - across) + beyond);
    for (int i = 0; i < 3; i++) {
      int part = ((27 - 9 * i) * change + 63) >> 7;
      add(x, q - (i + 1) * across, part);
      add(x, q + i * across, -part);
    }
  }
}
