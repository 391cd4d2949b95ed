package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;

/** Two tensors of one kind, the rows of the first before those of the second. */
record Stacked(Stored first, Stored second) implements MadeOf {
  @Override
  public Stored whole() {
    return first;
  }

  @Override
  public long[] shape() {
    return new Window(new Cut(0, 0, first.shape()[0] + second.shape()[0]), null)
        .shape(first.shape());
  }

  @Override
  public NDArray read(NDManager owner, Window window, Handing how) {
    long border = first.shape()[0];
    Cut rows = window.rowsOf(shape()[0]);
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> parts = new ArrayList<>();
      if (rows.from() < border || rows.length() == 0) {
        Cut above = new Cut(0, Math.min(rows.from(), border), Math.min(rows.to(), border));
        parts.add(first.read(scope, window.withRows(above), how));
      }
      if (rows.to() > border) {
        Cut below = new Cut(0, Math.max(rows.from(), border), rows.to()).shifted(-border);
        parts.add(second.read(scope, window.withRows(below), how));
      }
      return Torch.concat(owner, parts, 0);
    }
  }
}
