package io.xfuser.models.hunyuandit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.TensorList;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;

/** Modulated layer norm and the output projection, without the rows of learned variances. */
record HunyuanDiTHead(TensorList weights) implements Head<HunyuanDiTConditioning> {
  @Override
  public NDArray predict(NDManager owner, Hidden x, HunyuanDiTConditioning c) {
    return HunyuanDiT.PROGRAM.call(
        owner, "predict", x.image(), c.condition(), weights); // (B, l, c)
  }
}
