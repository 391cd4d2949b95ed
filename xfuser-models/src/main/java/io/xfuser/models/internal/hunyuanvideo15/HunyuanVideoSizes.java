package io.xfuser.models.internal.hunyuanvideo15;

import io.xfuser.model.GenerationRequest.Size;

/**
 * The size that is drawn where none is given. Source: diffusers {@code image_processor.py} of
 * HunyuanVideo 1.5.
 */
final class HunyuanVideoSizes {
  private static final double RATIO = 9.0 / 16; // height to width
  private static final double MOST = 4; // of the longer side to the shorter one

  private HunyuanVideoSizes() {}

  /**
   * Of sizes of no more than a square of {@code side} pixels has, the one whose height is nearest
   * to 9 of 16 of its width, and not below it.
   *
   * @param multiple of which sides are multiples, in pixels
   */
  static Size usual(int side, int multiple) {
    double part = (double) side / multiple;
    int patches = (int) Math.rint(part * part);
    int rows = patches;
    int columns = 1;
    Size nearest = new Size(multiple, multiple);
    double distance = Double.MAX_VALUE;
    while (rows > 0) {
      double ratio = Math.rint((double) rows / columns * 1e5) / 1e5;
      boolean narrow = (double) Math.max(rows, columns) / Math.min(rows, columns) <= MOST;
      if (narrow && ratio >= RATIO && ratio - RATIO < distance) {
        distance = ratio - RATIO;
        nearest = new Size(rows * multiple, columns * multiple);
      }
      if ((columns + 1L) * rows <= patches) {
        columns++;
      } else {
        rows--;
      }
    }
    return nearest;
  }
}
