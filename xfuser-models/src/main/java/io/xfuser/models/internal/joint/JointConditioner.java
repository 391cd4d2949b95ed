package io.xfuser.models.internal.joint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.transformer.Conditioner;

/** A conditioner whose text enters the first block. */
public interface JointConditioner extends Conditioner<JointConditioning> {
  @Override
  default JointConditioning at(NDManager step, JointConditioning c, double timestep) {
    return c.at(step, timestep);
  }

  @Override
  default NDArray jointText(JointConditioning c) {
    return c.entering();
  }
}
