package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * A tensor of blocks. Rows and columns are cut before they are widened, columns to whole blocks.
 *
 * @param in the file
 * @param format of the blocks
 * @param offset its first byte
 * @param bytes its size
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record GgufTensor(MappedFile in, GgmlType format, long[] shape, long offset, long bytes)
    implements Stored {
  static final Program PROGRAM = Program.load(GgufTensor.class, "mapping.py", "widening.py");

  /** Blocks that are widened at a time: 1 M numbers of the larger ones. */
  private static final long STEP = 4096;

  @Override
  public Path file() {
    return in.path();
  }

  @Override
  public String typeName() {
    return format.name();
  }

  @Override
  public boolean floating() {
    return format.readable();
  }

  @Override
  public boolean readable() {
    return format.readable();
  }

  @Override
  public ElementType type() {
    return ElementType.FLOAT32;
  }

  @Override
  public NDArray read(NDManager owner, Window window, Handing how) {
    Cut rows = apart() ? window.rowsOf(shape[0]) : new Cut(0, 0, 1);
    Cut columns = columns(window);
    try (NDManager scope = owner.newSubManager()) {
      NDArray numbers =
          PROGRAM.call(
              scope,
              "widened",
              how.placed(scope, blocks(scope, how, rows, columns)),
              new long[] {format.id(), format.blockBytes(), STEP},
              how.typeOf(type()).scalarType()); // (rows, columns)
      return Torch.contiguous(owner, rest(scope, numbers, window, columns));
    }
  }

  /** Whether no row shares a block with the next; else all is one row, widened whole and cut. */
  private boolean apart() {
    return width() % format.block() == 0;
  }

  /** Numbers in a row of the tensor. */
  private long width() {
    return Arrays.stream(shape).skip(1).reduce(1, (a, b) -> a * b);
  }

  /** The numbers of a row that are widened: whole blocks. */
  private Cut columns(Window window) {
    Cut across = window.across();
    long all = apart() ? width() : shape[0] * width();
    if (across == null || shape.length != 2 || !apart()) {
      return new Cut(1, 0, all);
    }
    long block = format.block();
    return new Cut(1, across.from() / block * block, (across.to() + block - 1) / block * block);
  }

  /** (rows, bytes) of the file, of any layout. */
  private NDArray blocks(NDManager scope, Handing how, Cut rows, Cut columns) {
    long perRow = !apart() ? bytes : width() / format.block() * format.blockBytes();
    long from = offset + rows.from() * perRow;
    NDArray all = how.stored(scope, in, StoredType.U8, from, rows.length(), perRow);
    return Torch.slice(scope, all, 1, byteOf(columns.from()), byteOf(columns.to()));
  }

  private long byteOf(long column) {
    return column / format.block() * format.blockBytes();
  }

  private NDArray rest(NDManager scope, NDArray numbers, Window window, Cut columns) {
    long[] there = apart() ? new Window(window.rows(), null).shape(shape) : shape.clone();
    boolean narrow = apart() && shape.length == 2;
    if (narrow) {
      there[1] = columns.length();
    }
    NDArray left = Torch.view(scope, numbers, there);
    Cut rows = window.rows();
    if (rows != null && !apart()) {
      left = Torch.slice(scope, left, 0, rows.from(), rows.to());
    }
    Cut across = window.across();
    if (across == null) {
      return left;
    }
    Cut within = narrow ? across.shifted(-columns.from()) : across;
    return Torch.slice(scope, left, within.dim(), within.from(), within.to());
  }

  @Override
  public List<Extent> extents() {
    return List.of(new Extent(file(), offset, bytes));
  }
}
