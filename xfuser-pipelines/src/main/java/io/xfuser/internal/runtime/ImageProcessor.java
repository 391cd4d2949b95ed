package io.xfuser.internal.runtime;

import ai.djl.Device;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.model.VaeDecoder;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;

/** What happens to decoded pixels, as in diffusers' VaeImageProcessor and PixArtImageProcessor. */
public final class ImageProcessor {
  static final Program IMAGE = Program.load(ImageProcessor.class, "image.py");

  private ImageProcessor() {}

  /**
   * The brightness of decoded pixels.
   *
   * @param pixels (B, 3, H, W), about −1 to 1
   * @return (B, 3, H, W), 0 to 1, in the element type of {@code pixels}
   */
  public static NDArray denormalize(NDManager owner, NDArray pixels) {
    return IMAGE.call(owner, "denormalize", pixels);
  }

  /** How many of {@code values} are infinite or no numbers. */
  static long notFinite(NDManager scope, NDArray values) {
    NDArray count = Torch.to(scope, IMAGE.call(scope, "not_finite", values), Device.cpu());
    return count.toLongArray()[0];
  }

  /** Frames (B·F, 3, H, W) as videos (B, F, 3, H, W). */
  static NDArray videos(NDManager owner, NDArray pixels, int frames) {
    return IMAGE.call(owner, "videos", pixels, frames);
  }

  /**
   * Small pictures that {@code colors} make of latents.
   *
   * @param latents (B, c, h, w), or (B, c·p·p, h, w) of p by p latents in one place
   * @return (B, 3, h·p, w·p), about −1 to 1
   */
  static NDArray sketches(NDManager owner, NDArray latents, VaeDecoder.Colors colors) {
    return IMAGE.call(owner, "colors", latents, array(colors.factors()), array(colors.bias()));
  }

  private static double[] array(List<Double> numbers) {
    return numbers.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /**
   * Pictures with 8 bits per colour.
   *
   * @param pixels (B, 3, H, W), about −1 to 1
   * @return B pictures
   * @throws IllegalArgumentException if the pixels have another shape
   */
  public static List<Image> toImages(NDArray pixels) {
    requirePictures(pixels);
    List<Image> images = new ArrayList<>();
    try (NDManager scope = pixels.getManager().newSubManager()) {
      NDArray values = // (B, 3, H, W)
          Torch.to(scope, IMAGE.call(scope, "quantize", pixels), Device.cpu());
      for (long i = 0; i < values.getShape().get(0); i++) {
        NDArray picture = IMAGE.call(scope, "picture", values, i); // (3, H, W)
        images.add(ImageFactory.getInstance().fromNDArray(picture));
      }
    }
    return List.copyOf(images);
  }

  /**
   * Scales the pictures, bilinearly and with their proportions, until they cover the size, and
   * keeps its middle: what follows the denoising of a picture whose size was rounded to a bin.
   *
   * @param pixels (B, 3, H, W)
   * @return (B, 3, height, width)
   * @throws IllegalArgumentException if the pixels have another shape or a side is below 1
   */
  public static NDArray resizeAndCrop(NDManager owner, NDArray pixels, int width, int height) {
    requirePictures(pixels);
    if (width < 1 || height < 1) {
      throw new IllegalArgumentException(
          "pictures cannot be resized to %d × %d (height × width)".formatted(height, width));
    }
    long rows = pixels.getShape().get(2);
    long columns = pixels.getShape().get(3);
    double ratio = Math.max((double) height / rows, (double) width / columns);
    long[] resized = {scaled(rows, ratio, height), scaled(columns, ratio, width)};
    return IMAGE.call(owner, "resize_and_crop", pixels, resized, new long[] {height, width});
  }

  /**
   * {@code side · ratio} rounded down as in diffusers, but not below what is to be cut out of it:
   * 304 · (424 / 304) is a little less than 424, and diffusers' crop then leaves one column.
   */
  private static long scaled(long side, double ratio, int atLeast) {
    return Math.max(atLeast, (long) (side * ratio));
  }

  private static void requirePictures(NDArray pixels) {
    Shape shape = pixels.getShape();
    if (shape.dimension() != 4 || shape.get(1) != 3) {
      throw new IllegalArgumentException(
          "pixels %s are not (batch, 3, rows, columns)".formatted(shape));
    }
  }
}
