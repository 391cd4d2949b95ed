package io.xfuser.models.joint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorList;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;

/**
 * Modulated layer norm ({@code AdaLayerNormContinuous} in diffusers) and the output projection.
 *
 * @param weights of the modulation (2C, C) and of the projection (c, C), each with its bias
 */
public record JointHead(TensorList weights) implements Head<JointConditioning> {
  private static final Program PROGRAM = Program.load(JointHead.class, "joint.py");

  @Override
  public NDArray predict(NDManager owner, Hidden x, JointConditioning c) {
    return PROGRAM.call(owner, "predict", x.image(), c.step().vector(), weights); // (B, l, c)
  }
}
