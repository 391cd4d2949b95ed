package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.internal.weights.ReadPace;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Objects;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * A file of tensors, mapped into memory when the first of them is asked for, or read piece by
 * piece. Who maps a file that is cut off later ends with the JVM when that part is touched; who
 * reads it gets an exception.
 */
final class MappedFile implements AutoCloseable {
  private static final Program PROGRAM = Program.load(MappedFile.class, "mapping.py");

  private final Path path;
  private final long size;
  private @Nullable NDManager manager; // from the first mapping on: a header alone owns nothing
  private @Nullable NDArray bytes; // (size)
  private final State opened; // what it was like then
  private @Nullable FileChannel channel; // from the first reading on
  private boolean closed;

  /** The file {@code path} of {@code size} bytes; nothing is opened yet. */
  MappedFile(Path path, long size) {
    this.path = path;
    this.size = size;
    this.opened = State.of(path);
  }

  /**
   * What tells whether a file has changed.
   *
   * @param key tells files apart; null where the system does not, or there is no file
   */
  private record State(@Nullable Object key, long size, @Nullable FileTime modified) {
    static State of(Path path) {
      try {
        BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
        return new State(now.fileKey(), now.size(), now.lastModifiedTime());
      } catch (IOException e) {
        return new State(null, 0, null);
      }
    }
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

  /**
   * The tensor whose elements begin at byte {@code offset}, read into memory of its own by {@code
   * chunk} bytes at a time.
   *
   * @throws ModelException if the file has changed since it was opened
   */
  NDArray read(NDManager owner, int chunk, StoredType type, long offset, long... shape) {
    long bytes = LongStream.of(shape).reduce(type.bytes(), Math::multiplyExact);
    try (NDManager scope = owner.newSubManager()) {
      NDArray memory = Torch.empty(scope, ElementType.UINT8, bytes);
      long at = offset;
      for (ByteBuffer part : Torch.memoryParts(memory, chunk)) {
        ReadPace.keep(part.remaining());
        fill(part, at);
        at += part.position();
      }
      return PROGRAM.call(owner, "view", memory, 0, shape, type.scalarType());
    }
  }

  private void fill(ByteBuffer part, long from) {
    try {
      FileChannel file = channel();
      while (part.hasRemaining()) {
        if (file.read(part, from + part.position()) < 0) {
          throw changed();
        }
      }
    } catch (IOException e) {
      throw new ModelException(path + " cannot be read: " + Reason.of(e), e);
    }
  }

  /** The file, if it is as it was. Another one in its place does no harm once this is open. */
  private synchronized FileChannel channel() throws IOException {
    if (closed) {
      throw new IllegalStateException(path + " was closed");
    }
    State now = State.of(path);
    FileChannel open = channel;
    boolean same = now.equals(opened);
    if (open != null && open.isOpen() && (same || !Objects.equals(now.key(), opened.key()))) {
      return open;
    }
    if (!same) {
      throw changed();
    }
    FileChannel again = FileChannel.open(path); // an interrupt closes it
    channel = again;
    return again;
  }

  private ModelException changed() {
    return new ModelException(path + " was changed while it was in use");
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
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        throw new ModelException(path + " cannot be closed: " + Reason.of(e), e);
      }
    }
  }
}
