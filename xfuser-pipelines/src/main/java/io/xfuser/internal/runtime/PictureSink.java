package io.xfuser.internal.runtime;

import ai.djl.Device;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.OutputType;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.internal.picture.Overlay;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.Torch;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;

/**
 * What pixels become as they come: pictures of 8 bits a colour, so that those of a long video are
 * not held, or a tensor of all of them where that is asked for.
 */
final class PictureSink {
  private final NDManager owner;
  private final GenerationRequest request;
  private final List<Image> images = new ArrayList<>();
  private final List<NDArray> tensors = new ArrayList<>();

  /**
   * Of one rank.
   *
   * @param owner owns tensors until they are {@link #pictures}
   */
  PictureSink(NDManager owner, GenerationRequest request) {
    this.owner = owner;
    this.request = request;
  }

  /** Takes decoded values (b, 3, H, W), the next ones. */
  void accept(NDArray decoded) {
    try (NDManager scope = owner.newSubManager()) {
      RankPictures.requireNumbers(scope, decoded, "decoded values");
      Overlay overlay = request.pictures() == null ? null : request.pictures().overlay();
      if (overlay != null) {
        ImageProcessor.toImages(decoded).forEach(part -> images.add(laid(overlay, part)));
        return;
      }
      Size size = request.output();
      NDArray pixels =
          size.equals(request.size())
              ? decoded
              : ImageProcessor.resizeAndCrop(scope, decoded, size.width(), size.height());
      if (request.input().outputType() == OutputType.PT) {
        NDArray bright = ImageProcessor.denormalize(scope, pixels);
        tensors.add(Torch.to(owner, bright, Device.cpu()));
      } else {
        images.addAll(ImageProcessor.toImages(pixels));
      }
    }
  }

  /**
   * All that came.
   *
   * @param first the number of the first picture or video in the whole request
   */
  RankPictures pictures(int first) {
    if (tensors.isEmpty()) {
      return new RankPictures(first, images, null);
    }
    int frames = request.latents().pixelFrames();
    NDArray all = tensors.size() == 1 ? tensors.get(0) : Torch.concat(owner, tensors, 0);
    NDArray shaped = request.latents().isVideo() ? ImageProcessor.videos(owner, all, frames) : all;
    return new RankPictures(first, List.of(), SharedTensor.of(shaped));
  }

  private static Image laid(Overlay overlay, Image part) {
    Bitmap drawn = Bitmap.of((BufferedImage) part.getWrappedImage());
    return ImageFactory.getInstance().fromImage(overlay.apply(drawn).toImage());
  }
}
