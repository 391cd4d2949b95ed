package io.xfuser.internal.parallel;

import ai.djl.ndarray.NDArray;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Does what another transport does; subclasses change some of it. */
public abstract class ForwardingTransport implements Transport {
  private final Transport inner;

  protected ForwardingTransport(Transport inner) {
    this.inner = inner;
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
  public boolean isOpen() {
    return inner.isOpen();
  }

  @Override
  public void check() {
    inner.check();
  }

  @Override
  public void activity(String what) {
    inner.activity(what);
  }

  @Override
  public void step(@Nullable String kind) {
    inner.step(kind);
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
