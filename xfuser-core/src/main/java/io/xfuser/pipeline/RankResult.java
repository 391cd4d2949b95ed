package io.xfuser.pipeline;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import io.xfuser.torchscript.SharedTensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one rank brings back.
 *
 * @param firstImage the index of its first picture in the whole request
 * @param images its pictures; empty on ranks that decode none
 * @param tensor latents or pixels in the place of pictures, or null
 * @param report the whole run's, on every rank
 */
record RankResult(
    int firstImage, List<Image> images, @Nullable SharedTensor tensor, RunReport report) {

  /** What a rank decoded. */
  record Decoded(int firstImage, List<Image> images, @Nullable SharedTensor tensor) {
    static final Decoded NOTHING = new Decoded(0, List.of(), null);

    static Decoded of(int firstImage, NDArray tensor) {
      return new Decoded(firstImage, List.of(), SharedTensor.of(tensor));
    }
  }
}
