package io.xfuser.models.sd3;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.TensorList;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;

/** Modulated layer norm and the output projection. */
record SD3Head(TensorList weights) implements Head<SD3Conditioning> {
  @Override
  public NDArray predict(NDManager owner, Hidden x, SD3Conditioning c) {
    return SD3.PROGRAM.call(owner, "predict", x.image(), c.step().vector(), weights); // (B, l, c)
  }
}
