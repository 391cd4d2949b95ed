package io.xfuser.internal.picture;

import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.picture.Bitmap.Box;

/** The part of a picture that a mask shows. Source: diffusers' {@code get_crop_region}. */
public final class MaskedPart {
  private MaskedPart() {}

  /**
   * The part with all that the mask shows and {@code pad} pixels around it, in the proportions of
   * what is drawn as far as the picture has room for it.
   *
   * @param mask one channel
   * @throws ArgumentException if the mask shows nothing
   */
  public static Box of(Bitmap mask, int width, int height, int pad) {
    Box shown = shown(mask);
    int left = Math.max(shown.left() - pad, 0);
    int top = Math.max(shown.top() - pad, 0);
    int right = (int) Math.min((long) shown.right() + pad, mask.width());
    int bottom = (int) Math.min((long) shown.bottom() + pad, mask.height());
    double wanted = (double) width / height;
    if ((double) (right - left) / (bottom - top) > wanted) {
      Range rows = new Range(top, bottom).widened((right - left) / wanted, mask.height());
      return new Box(left, rows.from, right, rows.to);
    }
    Range columns = new Range(left, right).widened((bottom - top) * wanted, mask.width());
    return new Box(columns.from, top, columns.to, bottom);
  }

  private static Box shown(Bitmap mask) {
    int left = mask.width();
    int top = mask.height();
    int right = 0;
    int bottom = 0;
    for (int y = 0; y < mask.height(); y++) {
      for (int x = 0; x < mask.width(); x++) {
        if (mask.at(x, y, 0) != 0) {
          left = Math.min(left, x);
          right = Math.max(right, x + 1);
          top = Math.min(top, y);
          bottom = y + 1;
        }
      }
    }
    if (right == 0) {
      throw new ArgumentException("the mask_image is black, so that nothing would be drawn");
    }
    return new Box(left, top, right, bottom);
  }

  private record Range(int from, int to) {
    /** So long, as far as 0 to {@code all} has room, about the same middle where it can be. */
    Range widened(double length, int all) {
      int more = (int) (length - (to - from));
      int first = from - Math.floorDiv(more, 2);
      int last = to + more - Math.floorDiv(more, 2);
      if (last >= all) {
        first -= last - all;
        last = all;
      }
      if (first < 0) {
        last -= first;
        first = 0;
      }
      return new Range(first, Math.min(last, all));
    }
  }
}
