package io.xfuser.internal.parallel.socket;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.Torch;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads messages of one rank on a thread of its own, straight into new tensors, whether or not they
 * are awaited: so no message holds up one of another channel.
 */
final class TensorReader {
  private final SocketChannel channel;
  private final @Nullable SharedRing ring;
  private final ByteBuffer prefix = ByteBuffer.allocateDirect(Header.PREFIX);

  /** From the connection {@code channel} and its ring, if it has one. */
  TensorReader(SocketChannel channel, @Nullable SharedRing ring) {
    this.channel = channel;
    this.ring = ring;
  }

  /**
   * Reads until the other side's farewell.
   *
   * @throws IOException if the connection ends before
   */
  void run(Arrival arrival) throws IOException {
    while (true) {
      Header header = readHeader();
      if (header.epoch() == Header.FAREWELL) {
        return;
      }
      arrival.arrived(header, readTensors(header.tensors()));
    }
  }

  private Header readHeader() throws IOException {
    readAll(prefix.clear());
    ByteBuffer header = ByteBuffer.allocate(Header.length(prefix.flip()));
    readAll(header);
    return Header.decode(header.flip(), ring != null);
  }

  private List<SharedTensor> readTensors(List<Header.Tensor> headers) throws IOException {
    try (NDManager scope = Torch.newManager()) {
      List<NDArray> tensors = new ArrayList<>();
      for (Header.Tensor header : headers) {
        tensors.add(Torch.empty(scope, header.type(), header.shape()));
      }
      for (int i = 0; i < tensors.size(); i++) {
        if (!headers.get(i).shared()) {
          for (ByteBuffer part : Torch.memoryParts(tensors.get(i))) {
            readAll(part);
          }
        }
      }
      for (int i = 0; i < tensors.size(); i++) {
        if (headers.get(i).shared()) {
          for (ByteBuffer part : Torch.memoryParts(tensors.get(i))) {
            Objects.requireNonNull(ring).read(part);
          }
        }
      }
      return tensors.stream().map(SharedTensor::of).toList();
    }
  }

  private void readAll(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new EOFException("the connection has ended");
      }
    }
  }

  /** Takes what has arrived. */
  interface Arrival {
    void arrived(Header header, List<SharedTensor> tensors);
  }
}
