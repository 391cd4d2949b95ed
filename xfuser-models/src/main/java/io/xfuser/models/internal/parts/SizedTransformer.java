package io.xfuser.models.internal.parts;

import io.xfuser.transformer.TransformerSpec;

/**
 * A transformer whose settings tell its size.
 *
 * @param <C> its conditioning
 */
public interface SizedTransformer<C> extends TransformerSpec<C> {
  /** What settings tell. */
  interface Size {
    int depth();

    /** Heads of self-attention. */
    int heads();

    int headSize();
  }

  Size config();

  @Override
  default int depth() {
    return config().depth();
  }

  @Override
  default int heads() {
    return config().heads();
  }

  @Override
  default int headSize() {
    return config().headSize();
  }
}
