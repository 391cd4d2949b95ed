package io.xfuser.models.internal.flux;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Picture;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.internal.picture.PictureFile;
import io.xfuser.internal.picture.Resizing;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Reference;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.model.SourcePictures;
import io.xfuser.models.internal.PictureLoop;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;

/**
 * How Flux Kontext takes its pictures: it refers to one and draws another from noise ({@code
 * FluxKontextPipeline} in diffusers), or draws anew what a mask covers and refers to the picture
 * itself or to a second one ({@code FluxKontextInpaintPipeline}).
 *
 * @param title what refusals call it
 * @param sizes of pictures
 * @param latents of a picture of some size
 */
record Kontext(String title, KontextSizes sizes, Function<Size, LatentShape> latents) {
  /** The pipelines whose transformer refers to a picture. */
  static final Set<String> CLASSES = Set.of("FluxKontextPipeline", "FluxKontextInpaintPipeline");

  /** Begins with noise alone, and takes what the autoencoder finds most likely. */
  static final PictureLoop REPAINTING = new PictureLoop(1, false, false).likeliest();

  private static final int AREA = 1 << 20;

  /** Whether part of a picture is drawn anew. */
  static boolean repaints(InputConfig input) {
    return input.maskImage() != null;
  }

  /**
   * The size that is drawn: with a mask that of the picture, else of so many pixels in the
   * proportions of {@code asked}.
   *
   * @throws ArgumentException if there are too many pictures, or a setting without its mask
   */
  Size drawn(InputConfig input, Size asked) {
    int most = repaints(input) ? 2 : 1;
    int given = input.images().size();
    if (given > most) {
      throw new ArgumentException(
          "%s takes %s, but %d are given"
              .formatted(
                  title,
                  most == 1 ? "one " + InputConfig.IMAGE : "two pictures with a mask at most",
                  given));
    }
    if (repaints(input)) {
      return seen(input, read(input.images().get(0)));
    }
    if (input.has(InputConfig.STRENGTH)) {
      throw new ArgumentException(
          "%s has no %s without %s: it draws from noise"
              .formatted(title, InputConfig.STRENGTH, InputConfig.MASK_IMAGE));
    }
    return KontextSizes.drawn(asked, Objects.requireNonNullElse(input.maxArea(), AREA));
  }

  /** {@code request} with the picture that it refers to, if there is one: the last. */
  GenerationRequest referring(GenerationRequest request) {
    List<Picture> images = request.input().images();
    if (images.isEmpty()) {
      return request;
    }
    SourcePictures begun = request.pictures();
    if (begun != null && images.size() == 1) {
      Reference itself = new Reference(begun.image(), request.latents(), null, true);
      return request.withReferences(List.of(itself));
    }
    Bitmap whole = read(images.get(images.size() - 1));
    Size seen = seen(request.input(), whole);
    Bitmap resized = Resizing.stretched(whole, seen.width(), seen.height());
    return request.withReferences(List.of(new Reference(resized, latents.apply(seen))));
  }

  private Size seen(InputConfig input, Bitmap whole) {
    return sizes.seen(
        new Size(whole.height(), whole.width()),
        Objects.requireNonNullElse(input.autoResize(), true));
  }

  private static Bitmap read(Picture image) {
    return PictureFile.read(InputConfig.IMAGE.name(), image);
  }
}
