package io.xfuser.models.internal.adaln;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;

/** Modulated layer norm and the output projection, without the rows of learned variances. */
record AdaLnHead(TensorMap weights) implements Head<AdaLnConditioning> {
  @Override
  public NDArray predict(NDManager owner, Hidden x, AdaLnConditioning c) {
    return AdaLn.PROGRAM.call( // (B·F, l, c)
        owner, "predict", x.image(), c.now().embedded(), weights, AdaLnConfig.EPSILON);
  }
}
