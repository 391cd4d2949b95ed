package io.xfuser.models.internal.text;

import io.xfuser.internal.picture.Bitmap;
import io.xfuser.internal.picture.Resizing;
import io.xfuser.weights.ComponentConfig;
import java.util.List;
import java.util.Map;

/**
 * What SigLIP sees of a picture: all of it, stretched to a square. Source: transformers {@code
 * image_processing_siglip.py}.
 *
 * @param side of the square
 * @param colours what becomes of its values
 */
record SiglipView(int side, Colours colours) implements PictureView {
  /** The class that transformers has for it. */
  static final String CLASS = "SiglipImageProcessor";

  private static final List<Double> HALVES = List.of(0.5, 0.5, 0.5);

  /**
   * As {@code preprocessor_config.json} says.
   *
   * @throws io.xfuser.failure.ModelException naming what is not supported
   */
  static SiglipView of(ComponentConfig config) {
    for (String step : List.of("do_resize", "do_rescale", "do_normalize")) {
      config.require(step, true);
    }
    config.require("resample", ClipView.BICUBIC);
    ComponentConfig size = config.part("size", "");
    int side = size.getInt("height", 224);
    size.require("width", side);
    return new SiglipView(side, Colours.of(config, HALVES, HALVES));
  }

  /** What {@code preprocessor_config.json} says for {@code side} pixels, as published. */
  static Map<String, Object> file(int side) {
    return Map.of(
        "image_processor_type",
        CLASS,
        "size",
        Map.of("height", side, "width", side),
        "resample",
        ClipView.BICUBIC,
        "do_resize",
        true,
        "do_rescale",
        true,
        "do_normalize",
        true);
  }

  @Override
  public Bitmap of(Bitmap picture) {
    return Resizing.stretchedCubic(picture, side, side);
  }
}
