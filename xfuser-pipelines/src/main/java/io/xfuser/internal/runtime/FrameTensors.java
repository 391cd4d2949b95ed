package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.runtime.Guidance.Arithmetic;
import io.xfuser.model.LatentShape;
import io.xfuser.model.SourceFrames;
import io.xfuser.model.SourcePictures;
import io.xfuser.model.VaeEncoder;
import io.xfuser.nn.Patchify;
import io.xfuser.nn.TokenRange;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * What becomes of pictures that are frames of the video that is drawn, on one rank. Source: {@code
 * prepare_latents} of diffusers' {@code WanImageToVideoPipeline}.
 *
 * @param pictures the request's
 * @param shape of the latents of one video
 * @param tensors encodes pictures, and finds this rank's tokens
 */
record FrameTensors(SourcePictures pictures, LatentShape shape, PictureTensors tensors) {
  /** The start of a request, of {@code noise} on the rank's device, as {@link PictureTensors}'. */
  Start start(
      NDManager owner,
      Noise noise,
      Scheduler scheduler,
      Supplier<Shared.Lease<VaeEncoder>> encoder) {
    SourceFrames frames = Objects.requireNonNull(pictures.frames(), "no frames");
    try (NDManager scope = owner.newSubManager()) {
      NDArray encoded = // (F', c, h, w)
          tensors.latents(scope, () -> List.of(pixels(scope, frames)), List.of(), encoder).get(0);
      NDArray video =
          Patchify.video(
              scope, encoded, Math.toIntExact(encoded.getShape().get(0))); // (1, c, F', h, w)
      NDArray initial = // (B, l, c)
          Arithmetic.PROGRAM.call(scope, "scale", noise.initial(), scheduler.initialNoiseSigma());
      if (!frames.stays()) {
        Sample first = Sample.of(Torch.alias(owner, initial));
        return new Start(first, noise.steps(), null, beside(owner, frames, video, noise));
      }
      Start.Kept kept =
          new Start.Kept(
              tokens(owner, "frames_drawn", video, noise),
              tokens(owner, "frames_given", video, noise),
              null);
      TokenRange all = new TokenRange(0, Math.toIntExact(initial.getShape().get(1)));
      return new Start(Sample.of(kept.clean(owner, initial, all)), noise.steps(), kept, null);
    }
  }

  /** The frames (F, 3, H, W) that are encoded. */
  private NDArray pixels(NDManager owner, SourceFrames frames) {
    NDArray first = PictureTensors.normalized(owner, pictures.image()); // (1, 3, H, W)
    return frames.stays()
        ? first
        : ImageProcessor.IMAGE.call(
            owner,
            "frames_between",
            first,
            frames.last() == null
                ? List.of()
                : List.of(PictureTensors.normalized(owner, frames.last())),
            shape.pixelFrames());
  }

  /** What the transformer sees beside each token, (1, l, e): given frames, and their latents. */
  private NDArray beside(NDManager owner, SourceFrames frames, NDArray video, Noise noise) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray seen = // (1, e, F', h, w)
          ImageProcessor.IMAGE.call(
              scope, "with_frames_given", video, frames.together(), frames.last() != null);
      return tensors.tokens(owner, seen, noise);
    }
  }

  private NDArray tokens(NDManager owner, String function, NDArray video, Noise noise) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray all = ImageProcessor.IMAGE.call(scope, function, video, shape.frames());
      return tensors.tokens(owner, all, noise);
    }
  }
}
