package io.xfuser.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.picture.Bitmap;
import java.util.List;

/** What sees pictures that are prompts, apart from the encoders of texts. */
public interface PictureEncoder extends AutoCloseable {
  /**
   * What pictures that are prompts are seen as.
   *
   * @param pictures those that one adapter sees; none: the tensor is what stands for no picture
   * @return (1, pictures or their tokens, …), owned by {@code owner}; as many as of one picture
   *     where there are none
   */
  NDArray see(NDManager owner, List<Bitmap> pictures);

  /** Bytes of the weights that are loaded here. */
  long parameterBytes();

  @Override
  void close();
}
