package io.xfuser.models.internal.text;

import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.internal.picture.Resizing;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * What is made of a picture before a language model reads it, from {@code
 * preprocessor_config.json}. Source: transformers {@code image_processing_qwen2_vl.py}.
 *
 * @param least pixels
 * @param most pixels
 * @param colours what becomes of its values
 */
record PictureSizes(long least, long most, Colours colours) {
  private static final int NARROWEST = 200; // times as long as wide

  /**
   * As {@code config} says, whose tokens must be as the model's.
   *
   * @throws ModelException naming the setting that is wrong
   */
  static PictureSizes of(ComponentConfig config, VisionConfig vision) {
    config.require("patch_size", vision.patch());
    config.require("merge_size", vision.merge());
    config.require("temporal_patch_size", vision.frames());
    for (String step : List.of("do_resize", "do_rescale", "do_normalize")) {
      config.require(step, true);
    }
    ComponentConfig size = config.part("size", "");
    PictureSizes sizes =
        new PictureSizes(
            config.getInt("min_pixels", size.getInt("shortest_edge", 56 * 56)),
            config.getInt("max_pixels", size.getInt("longest_edge", 28 * 28 * 1280)),
            Colours.of(config));
    if (sizes.least > sizes.most) {
      throw new ModelException(
          "%s: min_pixels %d must be at most max_pixels %d"
              .formatted(config.origin(), sizes.least, sizes.most));
    }
    return sizes;
  }

  /** {@code picture} in whole multiples of {@code side}, of no more and no fewer pixels. */
  Bitmap fitted(Bitmap picture, int side) {
    double height = picture.height();
    double width = picture.width();
    if (Math.max(height, width) / Math.min(height, width) > NARROWEST) {
      throw new ArgumentException(
          "a picture of %d × %d pixels (high × wide) is more than %d times as long as wide"
              .formatted(picture.height(), picture.width(), NARROWEST));
    }
    long rows = (long) Math.rint(height / side) * side;
    long columns = (long) Math.rint(width / side) * side;
    if (rows * columns > most) {
      double larger = Math.sqrt(height * width / most);
      rows = Math.max(side, (long) Math.floor(height / larger / side) * side);
      columns = Math.max(side, (long) Math.floor(width / larger / side) * side);
    } else if (rows * columns < least) {
      double smaller = Math.sqrt(least / (height * width));
      rows = (long) Math.ceil(height * smaller / side) * side;
      columns = (long) Math.ceil(width * smaller / side) * side;
    }
    return Resizing.stretchedCubic(picture, (int) columns, (int) rows);
  }
}
