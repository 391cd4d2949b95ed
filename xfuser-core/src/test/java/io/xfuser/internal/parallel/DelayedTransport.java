package io.xfuser.internal.parallel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Lets every message arrive a given time later, as over a slow network: the sender goes on at once,
 * and messages under way do not delay one another.
 */
public final class DelayedTransport extends ForwardingTransport {
  private final long nanos;
  private final ScheduledThreadPoolExecutor network;

  /** Delays what {@code inner} sends by {@code delay}. */
  public DelayedTransport(Transport inner, Duration delay) {
    super(inner);
    this.nanos = delay.toNanos();
    this.network =
        new ScheduledThreadPoolExecutor(
            1, // one thread, so that messages keep their order
            body -> {
              Thread thread = new Thread(body, "delay-of-rank" + inner.rank());
              thread.setDaemon(true);
              return thread;
            });
  }

  @Override
  public void send(Channel channel, int to, List<NDArray> tensors) {
    List<SharedTensor> message = tensors.stream().map(SharedTensor::of).toList();
    var unused = network.schedule(() -> deliver(channel, to, message), nanos, TimeUnit.NANOSECONDS);
  }

  @Override
  public void close() {
    network.shutdown(); // what is under way still arrives
    try {
      if (!network.awaitTermination(10, TimeUnit.SECONDS)) {
        throw new IllegalStateException("messages are stuck");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    super.close();
  }

  private void deliver(Channel channel, int to, List<SharedTensor> message) {
    try (NDManager scope = Torch.newManager()) {
      super.send(channel, to, message.stream().map(x -> x.receive(scope)).toList());
    } catch (RuntimeException e) {
      message.forEach(SharedTensor::close); // the world has ended meanwhile; receivers know
    }
  }
}
