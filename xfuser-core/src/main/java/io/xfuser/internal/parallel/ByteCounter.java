package io.xfuser.internal.parallel;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/** How many bytes of tensors a rank has sent, by channel. */
public final class ByteCounter {
  private final Map<Channel, LongAdder> sent = new EnumMap<>(Channel.class);

  /** Nothing sent yet. */
  public ByteCounter() {
    for (Channel channel : Channel.values()) {
      sent.put(channel, new LongAdder());
    }
  }

  void add(Channel channel, long bytes) {
    count(channel).add(bytes);
  }

  /** Bytes sent on {@code channel} so far. */
  public long sent(Channel channel) {
    return count(channel).sum();
  }

  private LongAdder count(Channel channel) {
    return Objects.requireNonNull(sent.get(channel));
  }
}
