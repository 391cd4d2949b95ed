package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;

/** A text encoder that is told which tokens are padding. Safe for use by several threads. */
public interface MaskedEncoder extends TextModel {
  /**
   * The last hidden states.
   *
   * @param ids token ids (B, T), int64
   * @param mask 1 for tokens, 0 for padding, (B, T), int64
   * @return (B, T, {@link #width}) in the run's element type
   * @throws ModelException if the shapes differ, or the texts are too long
   */
  NDArray encode(NDManager owner, NDArray ids, NDArray mask);

  /** The width of the hidden states. */
  int width();
}
