package io.xfuser.internal.parallel.socket;

import ai.djl.ndarray.NDArray;
import com.sun.management.OperatingSystemMXBean;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.torchscript.ElementType;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * What precedes the bytes of a message's tensors.
 *
 * @param epoch the request it belongs to, or {@link #FAREWELL}
 * @param channel what it is about
 * @param tensors in order; the bytes of those that are not shared follow, then in the ring the
 *     others
 */
@SuppressWarnings("EnumOrdinal") // ranks of different versions never get this far
record Header(long epoch, Channel channel, List<Tensor> tensors) {
  /** The epoch of the last message of a rank that leaves. */
  static final long FAREWELL = -1;

  /** Bytes of the length that comes first. */
  static final int PREFIX = Integer.BYTES;

  private static final int MAX_BYTES = 1 << 20;
  private static final int MAX_DIMENSIONS = 16;

  /** More than a machine has cannot be meant. */
  private static final long MAX_TENSOR_BYTES = memory();

  private static final int FIXED = Long.BYTES + 1 + Integer.BYTES;

  /**
   * One tensor.
   *
   * @param type its elements
   * @param shape its dimensions
   * @param shared whether its bytes come through shared memory
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Tensor(ElementType type, long[] shape, boolean shared) {
    static Tensor of(NDArray tensor, boolean shared) {
      return new Tensor(ElementType.of(tensor), tensor.getShape().getShape(), shared);
    }
  }

  /** Length and header, ready to be written. */
  ByteBuffer encode() {
    int length = FIXED + tensors.stream().mapToInt(x -> 3 + Long.BYTES * x.shape.length).sum();
    ByteBuffer out = ByteBuffer.allocate(PREFIX + length);
    out.putInt(length).putLong(epoch).put((byte) channel.ordinal()).putInt(tensors.size());
    for (Tensor tensor : tensors) {
      out.put((byte) tensor.type.ordinal()).put((byte) (tensor.shared ? 1 : 0));
      out.put((byte) tensor.shape.length);
      for (long dim : tensor.shape) {
        out.putLong(dim);
      }
    }
    return out.flip();
  }

  /** Bytes of the header of which {@code prefix} was read. */
  static int length(ByteBuffer prefix) throws IOException {
    int length = prefix.getInt();
    if (length < FIXED || length > MAX_BYTES) {
      throw new IOException("a message header of " + length + " bytes");
    }
    return length;
  }

  /**
   * Reads a header whole.
   *
   * @param ring whether bytes can come through shared memory
   * @throws IOException if it makes no sense, or the tensors are larger than this machine's memory;
   *     nothing was allocated for them
   */
  static Header decode(ByteBuffer in, boolean ring) throws IOException {
    try {
      long epoch = in.getLong();
      Channel channel = Channel.values()[in.get()];
      int count = in.getInt();
      List<Tensor> tensors = new ArrayList<>();
      long bytes = 0;
      for (int i = 0; i < count; i++) {
        ElementType type = ElementType.values()[in.get()];
        boolean shared = in.get() != 0;
        long[] shape = new long[in.get()];
        if (shape.length > MAX_DIMENSIONS || (shared && !ring)) {
          throw new IOException("a tensor of %d dimensions".formatted(shape.length));
        }
        long size = type.bytes();
        for (int dim = 0; dim < shape.length; dim++) {
          shape[dim] = in.getLong();
          size = Math.multiplyExact(size, shape[dim]);
          if (shape[dim] < 0) {
            throw new IOException("a tensor with a dimension of " + shape[dim]);
          }
        }
        bytes = Math.addExact(bytes, size);
        if (bytes > MAX_TENSOR_BYTES) {
          throw new IOException(
              "a message of %,d bytes, but this machine has %,d"
                  .formatted(bytes, MAX_TENSOR_BYTES));
        }
        tensors.add(new Tensor(type, shape, shared));
      }
      if (count != tensors.size() || in.hasRemaining()) {
        throw new IOException("a message header of another length");
      }
      return new Header(epoch, channel, tensors);
    } catch (RuntimeException e) {
      throw new IOException("a message header that makes no sense", e);
    }
  }

  private static long memory() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean machine
        ? machine.getTotalMemorySize()
        : Long.MAX_VALUE;
  }
}
