package io.xfuser.models.internal.joint;

import io.xfuser.transformer.TransformerSpec;

/** Double blocks, then single blocks, numbered in this order. */
public interface StreamTransformer extends TransformerSpec<JointConditioning> {
  StreamConfig streams();

  @Override
  default int depth() {
    return streams().depth();
  }

  @Override
  default int heads() {
    return streams().heads().count();
  }

  @Override
  default int headSize() {
    return streams().heads().size();
  }

  @Override
  default boolean modulates() {
    return true;
  }

  @Override
  default boolean valuesFirst() {
    return true;
  }
}
