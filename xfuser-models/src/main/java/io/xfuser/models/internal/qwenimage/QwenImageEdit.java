package io.xfuser.models.internal.qwenimage;

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
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * The pictures that are edited. Source: diffusers {@code pipeline_qwenimage_edit.py}, {@code
 * pipeline_qwenimage_edit_plus.py}, {@code pipeline_qwenimage_edit_inpaint.py}.
 *
 * @param size that is drawn where the request does not say
 * @param references the pictures
 */
record QwenImageEdit(Size size, List<Reference> references) {
  private static final long SEEN = 1024 * 1024; // pixels
  private static final long READ = 384 * 384;

  /** Of which sides are multiples, in pixels. */
  private static final int SIDE = 32;

  /**
   * Those of {@code input}.
   *
   * @param latents of a size
   * @throws ArgumentException if there are none, or one cannot be read or is too narrow
   */
  static QwenImageEdit of(
      QwenImageTask task, InputConfig input, Function<Size, LatentShape> latents) {
    if (input.images().isEmpty()) {
      throw new ArgumentException(task.classNames().get(0) + " needs " + InputConfig.IMAGE);
    }
    List<Reference> references = new ArrayList<>();
    Size size = new Size(0, 0);
    for (Picture image : input.images()) {
      Bitmap whole = PictureFile.read(InputConfig.IMAGE.name(), image);
      size = of(SEEN, whole);
      Bitmap seen = Resizing.stretched(whole, size.width(), size.height());
      references.add(
          new Reference(
              seen, latents.apply(size), task == QwenImageTask.EDIT ? seen : read(whole), false));
    }
    return new QwenImageEdit(size, references);
  }

  /**
   * The size that is drawn of all pictures, as {@code input} says or the last one's.
   *
   * @throws ArgumentException if a setting lacks its mask
   */
  Size asked(InputConfig input) {
    if (input.has(InputConfig.STRENGTH)) {
      throw new ArgumentException(
          "qwenimage_edit has no %s without %s: it draws from noise"
              .formatted(InputConfig.STRENGTH, InputConfig.MASK_IMAGE));
    }
    return new Size(
        Objects.requireNonNullElse(input.height(), size.height()),
        Objects.requireNonNullElse(input.width(), size.width()));
  }

  /** {@code request}, which draws a part of the picture anew and refers to it as it begins. */
  GenerationRequest repainting(GenerationRequest request) {
    Bitmap begun = Objects.requireNonNull(request.pictures()).image();
    Reference itself = new Reference(begun, request.latents(), references.get(0).read(), true);
    return request.withReferences(List.of(itself));
  }

  private static Bitmap read(Bitmap whole) {
    Size size = of(READ, whole);
    return Resizing.stretched(whole, size.width(), size.height());
  }

  /** About {@code area} pixels in the proportions of {@code picture}. */
  private static Size of(long area, Bitmap picture) {
    double ratio = (double) picture.width() / picture.height();
    double width = Math.sqrt(area * ratio);
    double height = width / ratio;
    Size size =
        new Size((int) Math.rint(height / SIDE) * SIDE, (int) Math.rint(width / SIDE) * SIDE);
    if (size.height() == 0 || size.width() == 0) {
      throw new ArgumentException(
          "%s has %d × %d pixels (high × wide), which is too narrow"
              .formatted(InputConfig.IMAGE, picture.height(), picture.width()));
    }
    return size;
  }
}
