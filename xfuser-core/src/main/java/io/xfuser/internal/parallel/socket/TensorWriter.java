package io.xfuser.internal.parallel.socket;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/** Writes messages to one rank on a thread of its own, straight from the tensors' memory. */
final class TensorWriter {
  private static final Outgoing FAREWELL = new Outgoing(Header.FAREWELL, Channel.WORLD, List.of());

  private final SocketChannel channel;
  private final @Nullable SharedRing ring;
  private final long sharedBytes;
  private final Queue<Outgoing> queue = new ArrayDeque<>();
  private boolean closed;

  /**
   * For the connection {@code channel}.
   *
   * @param ring takes tensors of at least {@code sharedBytes}, if there is one
   */
  TensorWriter(SocketChannel channel, @Nullable SharedRing ring, long sharedBytes) {
    this.channel = channel;
    this.ring = ring;
    this.sharedBytes = sharedBytes;
  }

  /** Queues {@code message}; it is released at once if nobody will read it. */
  synchronized void send(Outgoing message) {
    if (closed) {
      message.close();
    } else {
      queue.add(message);
      notifyAll();
    }
  }

  /** Queues the word that no message will follow. */
  void farewell() {
    send(FAREWELL);
  }

  /** Releases what is queued; the thread ends once its connection is closed too. */
  synchronized void close() {
    closed = true;
    queue.forEach(Outgoing::close);
    queue.clear();
    notifyAll();
  }

  /** Writes until {@link #farewell} or {@link #close}. */
  void run() throws IOException {
    try {
      Outgoing message = next();
      while (message != null) {
        write(message);
        message = message.epoch == Header.FAREWELL ? null : next();
      }
    } finally {
      close();
    }
  }

  private synchronized @Nullable Outgoing next() {
    while (queue.isEmpty() && !closed) {
      try {
        wait();
      } catch (InterruptedException e) {
        return null;
      }
    }
    return queue.poll();
  }

  private void write(Outgoing message) throws IOException {
    try (NDManager scope = Torch.newManager()) {
      List<Header.Tensor> headers = new ArrayList<>();
      List<ByteBuffer> plain = new ArrayList<>();
      List<ByteBuffer> shared = new ArrayList<>();
      for (SharedTensor handle : message.tensors) {
        NDArray tensor = handle.receive(scope);
        boolean byRing = ring != null && ElementType.bytesOf(tensor) >= sharedBytes;
        headers.add(Header.Tensor.of(tensor, byRing));
        (byRing ? shared : plain).addAll(Torch.memoryParts(tensor));
      }
      plain.add(0, new Header(message.epoch, message.channel, headers).encode());
      writeAll(plain.toArray(ByteBuffer[]::new));
      for (ByteBuffer part : shared) {
        Objects.requireNonNull(ring).write(part);
      }
    }
  }

  private void writeAll(ByteBuffer[] buffers) throws IOException {
    int first = 0;
    while (first < buffers.length) {
      channel.write(buffers, first, buffers.length - first);
      while (first < buffers.length && !buffers[first].hasRemaining()) {
        first++;
      }
    }
  }

  /** A message to be written; it keeps its tensors' memory alive. */
  record Outgoing(long epoch, Channel channel, List<SharedTensor> tensors)
      implements AutoCloseable {
    @Override
    public void close() {
      tensors.forEach(SharedTensor::close);
    }
  }
}
