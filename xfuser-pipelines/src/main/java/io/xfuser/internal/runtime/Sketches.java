package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.InputConfig;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.LatentShape;
import io.xfuser.model.VaeDecoder;
import io.xfuser.progress.Progress;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.Objects;

/**
 * Small pictures of a request's latents, by a linear map to colours: nothing is decoded. They are
 * shown by the ranks that have the request's first picture.
 *
 * @param plan of the rank
 * @param colors of the model's latents
 */
record Sketches(RankPlan plan, VaeDecoder.Colors colors) {
  /** Whether this rank shows some after so many steps; the last ones too. */
  boolean after(int done) {
    GenerationRequest request = plan.request();
    int every = Objects.requireNonNull(request.input().get(InputConfig.PREVIEW_EVERY));
    return every > 0 && plan.images().from() == 0 && (done % every == 0 || done == plan.steps());
  }

  /**
   * Those after {@code done} steps.
   *
   * @param tokens of the latents (B·F, L, c)
   */
  Progress.Preview of(NDManager owner, NDArray tokens, int done) {
    LatentShape shape = plan.request().latents();
    try (NDManager scope = owner.newSubManager()) {
      NDArray latents = shape.decodable(scope, tokens); // (B·F, c, h, w)
      NDArray pixels = ImageProcessor.sketches(scope, latents, colors); // (B·F, 3, h·p, w·p)
      List<BufferedImage> pictures =
          ImageProcessor.toImages(pixels).stream()
              .map(picture -> (BufferedImage) picture.getWrappedImage())
              .toList();
      int frames = shape.decodableFrames();
      double perSecond = (double) shape.fps() * frames / shape.pixelFrames();
      return new Progress.Preview(done, plan.steps(), pictures, frames, perSecond);
    }
  }
}
