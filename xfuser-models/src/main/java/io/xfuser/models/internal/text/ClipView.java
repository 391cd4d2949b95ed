package io.xfuser.models.internal.text;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.internal.picture.Bitmap.Box;
import io.xfuser.internal.picture.Resizing;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * What CLIP sees of a picture: the middle of it. Source: transformers {@code
 * image_processing_clip.py}.
 *
 * @param shortest the side to which the shorter one of the picture is resized
 * @param side of what is cut out of its middle
 * @param colours what becomes of its values
 */
record ClipView(int shortest, int side, Colours colours) implements PictureView {
  /** How its pictures are resized, and those of encoders like it. */
  static final int BICUBIC = 3;

  /** The class that transformers has for it. */
  static final String CLASS = "CLIPImageProcessor";

  /** The file that says so. */
  static final String FILE = "preprocessor_config.json";

  /**
   * As {@code preprocessor_config.json} says.
   *
   * @throws ModelException naming what is not supported
   */
  static ClipView of(ComponentConfig config) {
    for (String step : List.of("do_resize", "do_center_crop", "do_rescale", "do_normalize")) {
      config.require(step, true);
    }
    config.require("resample", BICUBIC);
    int shortest = config.part("size", "").getInt("shortest_edge", 224);
    ComponentConfig crop = config.part("crop_size", "");
    int side = crop.getInt("height", 224);
    crop.require("width", side);
    if (side < 1 || side > shortest) {
      throw new ModelException(
          "%s: crop_size %d must be at most shortest_edge %d"
              .formatted(config.origin(), side, shortest));
    }
    return new ClipView(shortest, side, Colours.of(config));
  }

  /** {@inheritDoc} Its middle. */
  @Override
  public Bitmap of(Bitmap picture) {
    int width = picture.width();
    int height = picture.height();
    boolean upright = width <= height;
    int longer = (int) ((double) shortest * Math.max(width, height) / Math.min(width, height));
    Bitmap resized =
        Resizing.stretchedCubic(picture, upright ? shortest : longer, upright ? longer : shortest);
    int left = (resized.width() - side) / 2;
    int top = (resized.height() - side) / 2;
    return resized.crop(new Box(left, top, left + side, top + side));
  }
}
