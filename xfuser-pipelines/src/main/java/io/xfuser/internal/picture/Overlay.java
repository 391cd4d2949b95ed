package io.xfuser.internal.picture;

import io.xfuser.internal.picture.Bitmap.Box;

/**
 * Puts what was drawn of a part of a picture back into it. Source: diffusers' {@code
 * VaeImageProcessor.apply_overlay}; the arithmetic of 8-bit values is PIL's.
 *
 * @param image the whole picture, three channels
 * @param mask 255 where it is drawn anew, one channel, of the same size
 * @param part what was drawn
 */
public record Overlay(Bitmap image, Bitmap mask, Box part) {
  /** The whole picture with {@code drawn}, three channels of any size, in its part. */
  public Bitmap apply(Bitmap drawn) {
    Bitmap whole = Bitmap.black(image.width(), image.height(), 3);
    Bitmap.paste(
        Resizing.cropped(drawn, part.width(), part.height()), whole, part.left(), part.top());
    for (int i = 0; i < mask.values().length; i++) {
      int alpha = 255 - (mask.values()[i] & 0xFF); // of the picture, over what was drawn
      for (int c = 3 * i; c < 3 * i + 3; c++) {
        whole.values()[c] = over(image.values()[c] & 0xFF, whole.values()[c] & 0xFF, alpha);
      }
    }
    return whole;
  }

  /** A value of the picture, premultiplied and back as it is pasted, composed over another. */
  private static byte over(int above, int below, int alpha) {
    if (alpha == 0) {
      return (byte) below;
    }
    int premultiplied = divide255(above * alpha);
    int straight = alpha == 255 ? premultiplied : Math.min(255, 255 * premultiplied / alpha);
    // with an opaque picture below, PIL's alpha_composite has these weights of 7 more bits
    int weight = alpha * 255 * (1 << 7) / 255;
    int sum = straight * weight + below * (255 * (1 << 7) - weight);
    return (byte) (((sum + (0x80 << 7)) + ((sum + (0x80 << 7)) >> 8)) >> 8 >> 7);
  }

  /** {@code value / 255}, rounded. */
  private static int divide255(int value) {
    int more = value + 128;
    return (more + (more >> 8)) >> 8;
  }
}
