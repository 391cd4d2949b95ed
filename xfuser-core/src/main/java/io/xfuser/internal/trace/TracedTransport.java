package io.xfuser.internal.trace;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import io.xfuser.internal.device.DeviceClock.Mark;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.ForwardingTransport;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.torchscript.ElementType;
import io.xfuser.trace.TraceEvent.Activity;
import io.xfuser.trace.TraceEvent.Message;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes down every message sent and every wait. Messages are numbered on both sides, as each
 * receive gets the message whose turn it was when it was posted, so that a wait can be told which
 * send ended it.
 */
final class TracedTransport extends ForwardingTransport {
  private final TraceRecorder recorder;
  private final Map<Direction, Long> sent = new HashMap<>();
  private final Map<Direction, Long> posted = new HashMap<>();

  private record Direction(Channel channel, int peer) {}

  TracedTransport(Transport inner, TraceRecorder recorder) {
    super(inner);
    this.recorder = recorder;
  }

  @Override
  public void send(Channel channel, int to, List<NDArray> tensors) {
    Mark start = recorder.mark();
    super.send(channel, to, tensors);
    long number = next(sent, new Direction(channel, to));
    recorder.message(
        Activity.SEND, start, new Message(channel, "send", to, bytes(tensors), number));
  }

  @Override
  public Pending receive(Channel channel, int from, String operation) {
    Pending pending = super.receive(channel, from, operation);
    long number = next(posted, new Direction(channel, from));
    return owner -> {
      Mark start = recorder.mark();
      NDList arrived = pending.await(owner);
      recorder.message(
          Activity.WAIT, start, new Message(channel, operation, from, bytes(arrived), number));
      return arrived;
    };
  }

  private static long next(Map<Direction, Long> numbers, Direction route) {
    return numbers.merge(route, 1L, Long::sum) - 1;
  }

  private static long bytes(List<NDArray> tensors) {
    return tensors.stream().mapToLong(ElementType::bytesOf).sum();
  }
}
