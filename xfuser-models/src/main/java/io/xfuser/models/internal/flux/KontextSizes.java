package io.xfuser.models.internal.flux;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest.Size;

/**
 * The sizes in which Flux Kontext draws, and in which it sees the picture that it is given ({@code
 * FluxKontextPipeline} in diffusers).
 *
 * @param multiple of which height and width are, in pixels
 */
record KontextSizes(int multiple) {
  /** Widths and heights of the training. */
  private static final int[][] TRAINED = {
    {672, 1568}, {688, 1504}, {720, 1456}, {752, 1392}, {800, 1328}, {832, 1248},
    {880, 1184}, {944, 1104}, {1024, 1024}, {1104, 944}, {1184, 880}, {1248, 832},
    {1328, 800}, {1392, 752}, {1456, 720}, {1504, 688}, {1568, 672}
  };

  /** A size of about {@code area} pixels in the proportions of {@code asked}. */
  static Size drawn(Size asked, int area) {
    double ratio = (double) asked.width() / asked.height();
    return new Size(
        (int) Math.rint(Math.sqrt(area / ratio)), (int) Math.rint(Math.sqrt(area * ratio)));
  }

  /**
   * The size in which a picture is seen.
   *
   * @param trained whether it is the one of the training with the nearest proportions; else it is
   *     the picture's own
   * @throws ArgumentException if a side is shorter than a multiple
   */
  Size seen(Size picture, boolean trained) {
    int width = picture.width() / multiple * multiple;
    int height = picture.height() / multiple * multiple;
    if (width == 0 || height == 0) {
      throw new ArgumentException(
          "%s has %d × %d pixels (high × wide), but must have %d along each side"
              .formatted(InputConfig.IMAGE, picture.height(), picture.width(), multiple));
    }
    if (!trained) {
      return new Size(height, width);
    }
    double ratio = (double) width / height;
    int[] nearest = TRAINED[0]; // of equally near ones the first, which is the narrowest
    for (int[] size : TRAINED) {
      if (distance(size, ratio) < distance(nearest, ratio)) {
        nearest = size;
      }
    }
    return new Size(nearest[1] / multiple * multiple, nearest[0] / multiple * multiple);
  }

  private static double distance(int[] size, double ratio) {
    return Math.abs(ratio - (double) size[0] / size[1]);
  }
}
