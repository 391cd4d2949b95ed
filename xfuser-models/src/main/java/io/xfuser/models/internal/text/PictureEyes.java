package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.picture.Bitmap;
import java.util.List;

/** What sees pictures that are prompts. */
interface PictureEyes extends PictureReader {
  /**
   * What {@code pictures} are seen as, (1, pictures, …); of none, what stands for no picture, as
   * for one.
   */
  NDArray seen(NDManager owner, List<Bitmap> pictures);
}
