package io.xfuser.internal.parallel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.ToLongFunction;

/**
 * Lets every message arrive a given time later, as over a slow network: the sender goes on at once,
 * and messages under way do not delay one another.
 */
public final class DelayedTransport extends ForwardingTransport {
  private final ToLongFunction<List<NDArray>> nanos;
  private final ScheduledThreadPoolExecutor network;

  // timers of messages that are due together may change places: each delivers the oldest message
  private final Queue<Runnable> underWay = new ConcurrentLinkedQueue<>();

  /** Delays what {@code inner} sends by {@code delay}. */
  public DelayedTransport(Transport inner, Duration delay) {
    this(inner, message -> delay.toNanos());
  }

  /** Sends over a link that carries so many bytes a second, one message after the other. */
  public static DelayedTransport link(Transport inner, long bytesPerSecond) {
    AtomicLong free = new AtomicLong(System.nanoTime()); // from then on
    return new DelayedTransport(
        inner,
        message -> {
          long bytes = message.stream().mapToLong(ElementType::bytesOf).sum();
          long now = System.nanoTime();
          long lasts = bytes * 1_000_000_000 / bytesPerSecond;
          return free.updateAndGet(since -> Math.max(since, now) + lasts) - now;
        });
  }

  private DelayedTransport(Transport inner, ToLongFunction<List<NDArray>> nanos) {
    super(inner);
    this.nanos = nanos;
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
    synchronized (underWay) {
      long delay = nanos.applyAsLong(tensors);
      underWay.add(() -> deliver(channel, to, message));
      var unused = network.schedule(() -> underWay.remove().run(), delay, TimeUnit.NANOSECONDS);
    }
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
