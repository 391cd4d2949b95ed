package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A file of tensors, mapped into memory when the first of them is asked for. */
final class MappedFile implements AutoCloseable {
  private static final Program PROGRAM = Program.load(MappedFile.class, "mapping.py");

  private final Path path;
  private final long size;
  private @Nullable NDManager manager; // from the first mapping on: a header alone owns nothing
  private @Nullable NDArray bytes; // (size)
  private boolean closed;

  /** The file {@code path} of {@code size} bytes; nothing is opened yet. */
  MappedFile(Path path, long size) {
    this.path = path;
    this.size = size;
  }

  Path path() {
    return path;
  }

  /**
   * The tensor whose elements begin at byte {@code offset}: the mapping itself where that is
   * aligned.
   */
  NDArray view(NDManager owner, StoredType type, long offset, long... shape) {
    int each = type.bytes();
    if (offset % each == 0) {
      return PROGRAM.call(owner, "view", mapped(), offset / each, shape, type.scalarType());
    }
    long length = each;
    for (long extent : shape) {
      length *= extent;
    }
    return PROGRAM.call(owner, "copy", mapped(), offset, length, shape, type.scalarType());
  }

  /** A tensor of this shape without memory. */
  static NDArray promised(NDManager owner, ElementType type, long... shape) {
    return PROGRAM.call(owner, "promised", shape, type.scalarType());
  }

  private synchronized NDArray mapped() {
    if (closed) {
      throw new IllegalStateException(path + " was closed");
    }
    NDArray mapping = bytes;
    if (mapping == null) {
      NDManager owner = Torch.newManager();
      manager = owner;
      mapping = PROGRAM.call(owner, "map_file", path.toString(), size);
      bytes = mapping;
    }
    return mapping;
  }

  /** Lets go of the mapping; tensors that were handed out keep it alive as long as they need it. */
  @Override
  public synchronized void close() {
    closed = true;
    if (manager != null) {
      manager.close();
    }
  }
}
