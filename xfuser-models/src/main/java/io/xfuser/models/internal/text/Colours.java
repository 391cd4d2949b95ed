package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * What becomes of the values of 8 bits of a picture before an encoder sees them.
 *
 * @param factor of the values
 * @param means of red, green and blue, which are taken off
 * @param deviations of each, by which what is left is divided
 */
record Colours(double factor, List<Double> means, List<Double> deviations) {
  private static final List<Double> MEANS = List.of(0.48145466, 0.4578275, 0.40821073);
  private static final List<Double> DEVIATIONS = List.of(0.26862954, 0.26130258, 0.27577711);

  /**
   * As {@code preprocessor_config.json} says; what it leaves out is CLIP's.
   *
   * @throws ModelException if there are not three
   */
  static Colours of(ComponentConfig config) {
    return of(config, MEANS, DEVIATIONS);
  }

  /** The same where it leaves out other numbers than CLIP's. */
  static Colours of(ComponentConfig config, List<Double> means, List<Double> deviations) {
    Colours read =
        new Colours(
            config.getDouble("rescale_factor", 1 / 255.0),
            config.has("image_mean") ? config.getDoubleList("image_mean") : means,
            config.has("image_std") ? config.getDoubleList("image_std") : deviations);
    if (read.means.size() != 3 || read.deviations.size() != 3) {
      throw new ModelException(
          "%s: image_mean %s and image_std %s must be of three colours"
              .formatted(config.origin(), read.means, read.deviations));
    }
    return read;
  }

  /** {@code picture} as (H, W, 3) of 8 bits. */
  static NDArray values(NDManager owner, Bitmap picture) {
    NDArray values =
        Torch.empty(
            owner, ElementType.UINT8, picture.height(), picture.width(), picture.channels());
    Torch.memory(values).put(picture.values());
    return values;
  }

  double[] mean() {
    return array(means);
  }

  double[] deviation() {
    return array(deviations);
  }

  private static double[] array(List<Double> numbers) {
    return numbers.stream().mapToDouble(Double::doubleValue).toArray();
  }
}
