package io.xfuser.models.pixart;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.TensorList;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;

/** Modulated layer norm and the output projection, without the rows of learned variances. */
record PixArtHead(TensorList weights) implements Head<PixArtConditioning> {
  @Override
  public NDArray predict(NDManager owner, Hidden x, PixArtConditioning c) {
    return PixArt.PROGRAM.call( // (B, l, c)
        owner, "predict", x.image(), c.embeddedStep(), weights, PixArtConfig.EPSILON);
  }
}
