package io.xfuser.models.internal.flux2;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Picture;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.internal.picture.PictureFile;
import io.xfuser.internal.picture.Resizing;
import java.util.List;

/**
 * In which sizes pictures are seen that are referred to. Source: diffusers {@code
 * pipelines/flux2/image_processor.py} and {@code pipeline_flux2.py}.
 */
final class SeenPictures {
  private static final int SHORTEST = 64; // pixels of a side
  private static final int LONGEST = 8; // times the other side
  private static final double AREA = 1024 * 1024;

  private SeenPictures() {}

  /**
   * Reads pictures, makes those of more than 1024² pixels smaller, and cuts off at the edges what
   * is no whole multiple.
   *
   * @param multiple of which height and width are then, in pixels
   * @throws ArgumentException if one is no picture, too small or too long
   */
  static List<Bitmap> read(List<Picture> pictures, int multiple) {
    return pictures.stream()
        .map(picture -> PictureFile.read(InputConfig.IMAGE.name(), picture))
        .map(whole -> seen(whole, multiple))
        .toList();
  }

  static Bitmap seen(Bitmap whole, int multiple) {
    int width = whole.width();
    int height = whole.height();
    int shorter = Math.min(width, height);
    if (shorter < SHORTEST || Math.max(width, height) > (long) LONGEST * shorter) {
      throw new ArgumentException(
          "%s has %d × %d pixels (high × wide), but must have %d along each side, and at most"
                  .formatted(InputConfig.IMAGE, height, width, SHORTEST)
              + " %d times as many along one as along the other".formatted(LONGEST));
    }
    Bitmap small = whole;
    if ((double) width * height > AREA) {
      double scale = Math.sqrt(AREA / ((double) width * height));
      small = Resizing.stretched(whole, (int) (width * scale), (int) (height * scale));
    }
    return Resizing.middle(
        small, small.width() / multiple * multiple, small.height() / multiple * multiple);
  }
}
