package io.xfuser.models.process;

import ai.djl.ndarray.NDArray;
import io.xfuser.parallel.Channel;
import io.xfuser.parallel.Pending;
import io.xfuser.parallel.Transport;
import java.time.Duration;
import java.util.List;

/** Prints what the rank does, and lets it last a little, so that a test can end it just then. */
final class AnnouncingTransport implements Transport {
  private final Transport inner;
  private final Duration pause;

  AnnouncingTransport(Transport inner, Duration pause) {
    this.inner = inner;
    this.pause = pause;
  }

  @Override
  public void activity(String what) {
    inner.activity(what);
    if (!pause.isZero()) {
      System.out.println("ACTIVITY " + what);
      System.out.flush();
      try {
        Thread.sleep(pause.toMillis());
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
