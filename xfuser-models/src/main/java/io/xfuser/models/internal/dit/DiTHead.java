package io.xfuser.models.internal.dit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;

/** Modulated layer norm and the output projection, without the rows of learned variances. */
record DiTHead(TensorMap weights) implements Head<DiTConditioning> {
  @Override
  public NDArray predict(NDManager owner, Hidden x, DiTConditioning c) {
    NDArray m = c.modulation(this, "head_modulation"); // (2, B, 1, C)
    return DiT.PROGRAM.call( // (B, l, c)
        owner, "predict", x.image(), m, weights, DiTConfig.EPSILON);
  }
}
