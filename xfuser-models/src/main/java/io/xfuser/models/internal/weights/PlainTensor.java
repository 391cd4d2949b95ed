package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A tensor whose elements lie in its file one after the other.
 *
 * @param in the file
 * @param stored the type of its elements there
 * @param offset its first byte
 * @param bytes its size
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record PlainTensor(MappedFile in, StoredType stored, long[] shape, long offset, long bytes)
    implements Stored {
  @Override
  public Path file() {
    return in.path();
  }

  @Override
  public String typeName() {
    return stored.name();
  }

  @Override
  public boolean floating() {
    return stored.floating();
  }

  @Override
  public boolean readable() {
    return stored.readable();
  }

  @Override
  public ElementType type() {
    return stored.inMemory();
  }

  @Override
  public NDArray read(NDManager owner, Window window, Handing how) {
    try (NDManager scope = owner.newSubManager()) {
      return how.hand(owner, stored(scope, window, how), type());
    }
  }

  @Override
  public Optional<NDArray> mapped(NDManager owner, Window window) {
    boolean there = stored.scalarType() == type().scalarType() && offset % stored.bytes() == 0;
    return there ? Optional.of(stored(owner, window, Handing.AS_STORED)) : Optional.empty();
  }

  /** The part {@code window} as it is in the file. */
  private NDArray stored(NDManager scope, Window window, Handing how) {
    NDArray rows = how.stored(scope, in, stored, from(window.rows()), rows(window));
    Cut across = window.across();
    return across == null
        ? rows
        : Torch.slice(scope, rows, across.dim(), across.from(), across.to());
  }

  private long[] rows(Window window) {
    return new Window(window.rows(), null).shape(shape);
  }

  private long from(@Nullable Cut rows) {
    return rows == null || rows.from() == 0 ? offset : offset + rows.from() * (bytes / shape[0]);
  }

  @Override
  public List<Extent> extents() {
    return List.of(new Extent(file(), offset, bytes));
  }
}
