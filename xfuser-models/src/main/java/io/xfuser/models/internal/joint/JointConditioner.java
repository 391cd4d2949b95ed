package io.xfuser.models.internal.joint;

import ai.djl.ndarray.NDArray;
import io.xfuser.transformer.Conditioner;

/** A conditioner whose text enters the first block. */
public interface JointConditioner extends Conditioner<JointConditioning> {
  @Override
  default NDArray jointText(JointConditioning c) {
    return c.text();
  }
}
