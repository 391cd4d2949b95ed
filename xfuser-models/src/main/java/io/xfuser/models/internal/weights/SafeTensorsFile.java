package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** One safetensors file, mapped into memory when the first tensor is asked for. */
final class SafeTensorsFile implements AutoCloseable {
  private static final Program PROGRAM = Program.load(SafeTensorsFile.class, "mapping.py");

  private final Path path;
  private final SafeTensorsHeader header;
  private @Nullable NDManager manager; // from the first mapping on: a header alone owns nothing
  private @Nullable NDArray bytes; // (file size)
  private boolean closed;

  /** Reads the header; throws {@link ModelException} if it does not describe the file. */
  SafeTensorsFile(Path path) {
    this.path = path;
    this.header = SafeTensorsHeader.read(path);
  }

  Path path() {
    return path;
  }

  SafeTensorsHeader header() {
    return header;
  }

  /** The tensor in the file's element type: the mapping itself where its place is aligned. */
  NDArray get(NDManager owner, SafeTensorsHeader.TensorInfo entry) {
    int type = entry.elementType().scalarType();
    int elementBytes = entry.elementType().bytes();
    if (entry.offset() % elementBytes == 0) {
      long offset = entry.offset() / elementBytes;
      return PROGRAM.call(owner, "view", mapped(), offset, entry.shape(), type);
    }
    return PROGRAM.call(
        owner, "copy", mapped(), entry.offset(), entry.bytes(), entry.shape(), type);
  }

  /** A tensor of this shape without memory, of zeros. */
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
      mapping = PROGRAM.call(owner, "map_file", path.toString(), header.fileBytes());
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
