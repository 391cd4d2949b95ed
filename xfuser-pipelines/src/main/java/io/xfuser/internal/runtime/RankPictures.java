package io.xfuser.internal.runtime;

import ai.djl.Device;
import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.Torch;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one rank has for the caller: pictures, or a tensor in their place.
 *
 * @param first the index of its first picture in the whole request
 * @param images its pictures; empty on ranks that decode none
 * @param tensor latents or pixels on the CPU, or null
 */
public record RankPictures(int first, List<Image> images, @Nullable SharedTensor tensor)
    implements AutoCloseable {
  static final RankPictures NONE = new RankPictures(0, List.of(), null);

  /** The latents of pictures from {@code first} on, of their tokens (B·F, L, c). */
  static RankPictures ofLatents(
      NDManager scope, GenerationRequest request, int first, NDArray tokens) {
    requireNumbers(scope, tokens, "latents");
    return of(scope, first, request.latents().visible(scope, tokens));
  }

  private static RankPictures of(NDManager scope, int first, NDArray tensor) {
    NDArray here = Torch.to(scope, tensor, Device.cpu());
    return new RankPictures(first, List.of(), SharedTensor.of(here));
  }

  /**
   * Refuses what a picture would show nothing of.
   *
   * @throws ArgumentException if values are infinite or no numbers
   */
  static void requireNumbers(NDManager scope, NDArray all, String what) {
    long none = ImageProcessor.notFinite(scope, all);
    if (none > 0) {
      throw new ArgumentException(
          ("%d of %d %s are infinite or no numbers, so there is no picture; a smaller"
                  + " guidance_scale may help, or dtype bfloat16 or float32 where float16 is too"
                  + " narrow")
              .formatted(none, all.size(), what));
    }
  }

  /** Lets go of the tensor, which nobody will receive. */
  @Override
  public void close() {
    if (tensor != null) {
      tensor.close();
    }
  }
}
