package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Torch;
import java.util.Arrays;

/** A tensor with other dimensions after the first. */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Reshaped(Stored whole, long[] shape) implements MadeOf {
  /** A kernel (out, in, 1, …) as a matrix (out, in); what has two dimensions is one. */
  static Stored matrix(Stored whole) {
    long[] shape = whole.shape();
    boolean kernel =
        shape.length > 2 && Arrays.stream(shape).skip(2).allMatch(extent -> extent == 1);
    return kernel ? new Reshaped(whole, new long[] {shape[0], shape[1]}) : whole;
  }

  @Override
  public NDArray read(NDManager owner, Window window, Handing how) {
    Window rows = new Window(window.rows(), null);
    try (NDManager scope = owner.newSubManager()) {
      NDArray all = Torch.view(scope, whole.read(scope, rows, how), rows.shape(shape));
      Cut across = window.across();
      NDArray part =
          across == null ? all : Torch.slice(scope, all, across.dim(), across.from(), across.to());
      return Torch.contiguous(owner, part);
    }
  }
}
