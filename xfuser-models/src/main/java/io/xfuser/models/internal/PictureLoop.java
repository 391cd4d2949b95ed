package io.xfuser.models.internal;

import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.Picture;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.internal.picture.Bitmap.Box;
import io.xfuser.internal.picture.MaskedPart;
import io.xfuser.internal.picture.Overlay;
import io.xfuser.internal.picture.PictureFile;
import io.xfuser.internal.picture.Resizing;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.SourcePictures;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a pipeline begins with a picture: what diffusers' image-to-image and inpainting pipelines do
 * before their loop.
 *
 * @param strength how much of the picture is noise at first, where the request does not say
 * @param shows whether the transformer sees the mask, and the picture without what it covers
 * @param unshifted whether the decoder leaves out the shift of latents
 * @param samples whether latents are drawn where the autoencoder gives distributions
 * @param fits whether a picture, and its mask, have the size that is drawn before a part of them is
 *     cut out
 * @param draws whether noise for what stays is drawn even where latents are given
 */
public record PictureLoop(
    double strength,
    boolean shows,
    boolean unshifted,
    boolean samples,
    boolean fits,
    boolean draws) {
  /** One that draws latents of what the autoencoder gives, of pictures as they are. */
  public PictureLoop(double strength, boolean shows, boolean unshifted) {
    this(strength, shows, unshifted, true, false, false);
  }

  /** The same with the latents that the autoencoder finds most likely. */
  public PictureLoop likeliest() {
    return new PictureLoop(strength, shows, unshifted, false, fits, draws);
  }

  /** The same of pictures that have the size that is drawn first. */
  public PictureLoop fitting() {
    return new PictureLoop(strength, shows, unshifted, samples, true, draws);
  }

  /** The same that draws noise for what stays in any case. */
  public PictureLoop drawing() {
    return new PictureLoop(strength, shows, unshifted, samples, fits, true);
  }

  /**
   * {@code request} with the picture that its input has, without the first of its steps.
   *
   * @param drawn whether the autoencoder gives distributions
   * @throws ArgumentException if a picture cannot be read, or no step is left
   */
  public GenerationRequest begin(GenerationRequest request, boolean drawn) {
    InputConfig input = request.input();
    Picture image = Objects.requireNonNull(input.image());
    Picture mask = input.maskImage();
    int first = firstStep(request);
    Size size = request.size();
    PictureFile.requireRoom("what is drawn of it", size.width(), size.height());
    Bitmap whole = read(InputConfig.IMAGE, image, size);
    Bitmap masked = mask == null ? null : read(InputConfig.MASK_IMAGE, mask, size);
    Overlay overlay = overlay(request, whole, masked);
    Bitmap shown = masked == null ? null : fitted(masked, overlay, size).gray();
    SourcePictures pictures =
        new SourcePictures(
            fitted(whole, overlay, size),
            shown,
            shown != null && !shows,
            shows,
            drawn && samples,
            unshifted,
            draws,
            overlay,
            null);
    GenerationRequest begun =
        request.withScheduler(request.scheduler().from(first)).withPictures(pictures);
    return overlay == null ? begun : begun.withOutput(new Size(whole.height(), whole.width()));
  }

  private Bitmap read(Setting<?> setting, Picture picture, Size size) {
    Bitmap whole = PictureFile.read(setting.name(), picture);
    return fits ? Resizing.stretched(whole, size.width(), size.height()) : whole;
  }

  /** Source: {@code get_timesteps} of diffusers' pipelines. */
  private int firstStep(GenerationRequest request) {
    int steps = request.scheduler().steps();
    double share = Objects.requireNonNullElse(request.input().strength(), strength);
    int first = (int) Math.max(steps - Math.min(steps * share, steps), 0);
    if (first >= steps) {
      throw new ArgumentException(
          "strength %s leaves none of %d num_inference_steps; it must be more than 0"
              .formatted(share, steps));
    }
    return first;
  }

  private static @Nullable Overlay overlay(
      GenerationRequest request, Bitmap whole, @Nullable Bitmap masked) {
    Integer pad = request.input().paddingMaskCrop();
    if (pad == null || masked == null) {
      return null;
    }
    if (masked.width() != whole.width() || masked.height() != whole.height()) {
      throw new ArgumentException(
          "padding_mask_crop needs an image and a mask_image of one size, but they have %d × %d and"
                  .formatted(whole.height(), whole.width())
              + " %d × %d pixels (high × wide)".formatted(masked.height(), masked.width()));
    }
    if (request.input().outputType() != OutputType.PIL) {
      throw new ArgumentException(
          "padding_mask_crop puts pictures together, but output_type is "
              + InputConfig.OUTPUT_TYPE.textIn(request.input()));
    }
    Bitmap mask = masked.gray();
    Box part = MaskedPart.of(mask, request.size().width(), request.size().height(), pad);
    return new Overlay(whole, mask, part);
  }

  /** In the size that is drawn: all of it, or the part that is drawn, in its proportions. */
  private static Bitmap fitted(Bitmap whole, @Nullable Overlay overlay, Size size) {
    return overlay == null
        ? Resizing.stretched(whole, size.width(), size.height())
        : Resizing.filled(whole.crop(overlay.part()), size.width(), size.height());
  }
}
