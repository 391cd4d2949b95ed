package io.xfuser.internal.parallel.socket;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * A pipe of bytes from one process to another through memory that both have mapped: one writes, one
 * reads. Small enough to stay in the processor's cache, so that a copy in and a copy out cost less
 * than the kernel's two.
 */
final class SharedRing {
  private static final VarHandle LONGS =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());

  /** Bytes under way at most. */
  static final int CAPACITY = 2 << 20;

  /** Bytes copied before the other side is told. */
  private static final int STEP = CAPACITY / 8;

  private static final int WRITTEN = 0; // both on cache lines of their own
  private static final int READ = 128;
  private static final int START = 4096;
  private static final int SPINS = 200;
  private static final long PARK_NANOS = 20_000;

  private final MappedByteBuffer memory;
  private volatile boolean closed;

  private SharedRing(MappedByteBuffer memory) {
    this.memory = memory;
  }

  /** Makes a file with room for a ring that starts with {@code token}. */
  static SharedRing create(Path file, byte[] token) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            Set.of(
                StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      // every page is written now: one that the file system has no room for would end the JVM later
      ByteBuffer zeros = ByteBuffer.allocateDirect(START + CAPACITY);
      while (zeros.hasRemaining()) {
        channel.write(zeros);
      }
      channel.write(ByteBuffer.wrap(token), START);
      return new SharedRing(channel.map(FileChannel.MapMode.READ_WRITE, 0, START + CAPACITY));
    }
  }

  /**
   * Maps the file that the other side made.
   *
   * @throws IOException if it cannot be read here or is not the one with {@code token}
   */
  static SharedRing open(Path file, byte[] token) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
      ByteBuffer found = ByteBuffer.allocate(token.length);
      channel.read(found, START);
      if (!found.flip().equals(ByteBuffer.wrap(token)) || channel.size() != START + CAPACITY) {
        throw new IOException("not the file of the other rank: " + file);
      }
      return new SharedRing(channel.map(FileChannel.MapMode.READ_WRITE, 0, START + CAPACITY));
    }
  }

  /** Writes all of {@code source}; blocks while the reader is behind. */
  void write(ByteBuffer source) throws IOException {
    long written = (long) LONGS.get(memory, WRITTEN);
    while (source.hasRemaining()) {
      long free = CAPACITY - (written - await(READ, written - CAPACITY));
      int n = step(source, written, free);
      memory.put(START + (int) (written % CAPACITY), source, source.position(), n);
      source.position(source.position() + n);
      written += n;
      LONGS.setRelease(memory, WRITTEN, written);
    }
  }

  /** Fills {@code target}; blocks until the writer has sent that much. */
  void read(ByteBuffer target) throws IOException {
    long read = (long) LONGS.get(memory, READ);
    while (target.hasRemaining()) {
      long available = await(WRITTEN, read) - read;
      int n = step(target, read, available);
      target.put(target.position(), memory, START + (int) (read % CAPACITY), n);
      target.position(target.position() + n);
      read += n;
      LONGS.setRelease(memory, READ, read);
    }
  }

  /** Makes who waits in this process throw. The memory itself goes with the garbage. */
  void close() {
    closed = true;
  }

  private static int step(ByteBuffer buffer, long position, long possible) {
    long untilEnd = CAPACITY - position % CAPACITY;
    return (int) Math.min(Math.min(buffer.remaining(), STEP), Math.min(possible, untilEnd));
  }

  /** The other side's counter once it is past {@code known}. */
  private long await(int counter, long known) throws IOException {
    for (int spins = 0; ; spins++) {
      long now = (long) LONGS.getAcquire(memory, counter);
      if (now > known) {
        return now;
      }
      if (closed) {
        throw new ClosedChannelException();
      }
      if (spins < SPINS) {
        Thread.onSpinWait();
      } else {
        LockSupport.parkNanos(PARK_NANOS);
      }
    }
  }
}
