package io.xfuser.models.internal;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest.Size;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sizes that are drawn in the place of those that were asked for. */
public final class PictureSizes {
  private static final Logger LOG = LoggerFactory.getLogger(PictureSizes.class);

  private PictureSizes() {}

  /** Height and width that {@code input} asks for, {@code side} where it does not. */
  public static Size asked(InputConfig input, int side) {
    return asked(input, new Size(side, side));
  }

  /** The same, {@code usual} where it does not. */
  public static Size asked(InputConfig input, Size usual) {
    return new Size(
        Objects.requireNonNullElse(input.height(), usual.height()),
        Objects.requireNonNullElse(input.width(), usual.width()));
  }

  /** Refuses, with the numbers, a size of no whole {@code multiple} of pixels along each side. */
  public static void requireMultiples(int multiple, Size size) {
    if (size.height() % multiple != 0 || size.width() % multiple != 0) {
      throw new ArgumentException(
          "height and width must be multiples of %d, but are %d and %d"
              .formatted(multiple, size.height(), size.width()));
    }
  }

  /**
   * The largest size of whole multiples that {@code asked} has room for; a message tells where it
   * is another one.
   *
   * @param model its short name
   * @throws IllegalArgumentException with the numbers, where there is no room for one
   */
  public static Size roundedDown(String model, int multiple, Size asked) {
    Size size = new Size(asked.height() / multiple * multiple, asked.width() / multiple * multiple);
    if (size.height() == 0 || size.width() == 0) {
      throw new ArgumentException(
          "height and width must be at least %d, but are %d and %d"
              .formatted(multiple, asked.height(), asked.width()));
    }
    announce(model, asked, size);
    return size;
  }

  /** Says that {@code model} draws {@code size} in the place of {@code asked}, if it does. */
  public static void announce(String model, Size asked, Size size) {
    if (!size.equals(asked)) {
      LOG.info("{} draws {} pixels in the place of {}", model, told(size), told(asked));
    }
  }

  private static String told(Size size) {
    return size.height() + " x " + size.width();
  }
}
