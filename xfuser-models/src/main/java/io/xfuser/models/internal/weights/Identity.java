package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.List;

/**
 * A matrix that changes nothing, which no file has.
 *
 * @param whole a tensor of the file that it belongs to
 * @param size rows and columns
 */
record Identity(Stored whole, long size) implements MadeOf {
  private static final Program PROGRAM = Program.load(Identity.class, "mapping.py");

  @Override
  public long[] shape() {
    return new long[] {size, size};
  }

  @Override
  public ElementType type() {
    return ElementType.FLOAT32;
  }

  @Override
  public NDArray read(NDManager owner, Window window, Handing how) {
    Cut rows = window.rowsOf(size);
    Cut across = window.across() == null ? new Cut(1, 0, size) : window.across();
    try (NDManager scope = owner.newSubManager()) {
      NDArray all = PROGRAM.call(scope, "identity", size, type().scalarType());
      NDArray some = Torch.slice(scope, all, 0, rows.from(), rows.to());
      return how.hand(owner, Torch.slice(scope, some, 1, across.from(), across.to()), type());
    }
  }

  @Override
  public List<Extent> extents() {
    return List.of();
  }
}
