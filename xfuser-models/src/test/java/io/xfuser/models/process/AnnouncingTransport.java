package io.xfuser.models.process;

import ai.djl.ndarray.NDArray;
import io.xfuser.parallel.Channel;
import io.xfuser.parallel.Pending;
import io.xfuser.parallel.Transport;
import java.time.Duration;
import java.util.List;

/**
 * Says when the rank begins one activity, and lets it last, so that a test can end it just then.
 */
final class AnnouncingTransport implements Transport {
  private static final Duration PAUSE = Duration.ofSeconds(2);

  private final Transport inner;
  private final String announced;

  AnnouncingTransport(Transport inner, String announced) {
    this.inner = inner;
    this.announced = announced;
  }

  @Override
  public void activity(String what) {
    inner.activity(what);
    if (announced.equals("rank " + rank() + " " + what)) {
      System.out.println("ACTIVITY of " + announced);
      System.out.flush();
      try {
        Thread.sleep(PAUSE.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public int rank() {
    return inner.rank();
  }

  @Override
  public int size() {
    return inner.size();
  }

  @Override
  public void send(Channel channel, int to, List<NDArray> tensors) {
    inner.send(channel, to, tensors);
  }

  @Override
  public Pending receive(Channel channel, int from, String operation) {
    return inner.receive(channel, from, operation);
  }

  @Override
  public void begin() {
    inner.begin();
  }

  @Override
  public void cancel(String reason) {
    inner.cancel(reason);
  }

  @Override
  public void fail(Throwable cause) {
    inner.fail(cause);
  }

  @Override
  public void close() {
    inner.close();
  }
}
