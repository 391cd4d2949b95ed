package io.xfuser.models.internal.text;

import io.xfuser.internal.picture.Bitmap;

/** What an encoder sees of a picture. */
interface PictureView {
  /** Height and width of what is seen, in pixels. */
  int side();

  /** What becomes of its values. */
  Colours colours();

  /** What is seen of {@code picture}. */
  Bitmap of(Bitmap picture);
}
