package io.xfuser.internal.parallel;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/** How many bytes of tensors a rank has sent, by channel, and how many of them to other nodes. */
public final class ByteCounter {
  private final Map<Channel, Sent> sent = new EnumMap<>(Channel.class);

  /** Nothing sent yet. */
  public ByteCounter() {
    for (Channel channel : Channel.values()) {
      sent.put(channel, new Sent(new LongAdder(), new LongAdder(), new LongAdder()));
    }
  }

  private record Sent(LongAdder bytes, LongAdder farBytes, LongAdder farMessages) {}

  /** Counts a message; {@code far} if it goes to another node. */
  void add(Channel channel, long bytes, boolean far) {
    of(channel).bytes().add(bytes);
    if (far) {
      of(channel).farBytes().add(bytes);
      of(channel).farMessages().increment();
    }
  }

  /** Bytes sent on {@code channel} so far. */
  public long sent(Channel channel) {
    return of(channel).bytes().sum();
  }

  /** Bytes of them that went to other nodes, where it is known which ranks are on these. */
  public long betweenNodes(Channel channel) {
    return of(channel).farBytes().sum();
  }

  /** The messages that they went in. */
  public long messagesBetweenNodes(Channel channel) {
    return of(channel).farMessages().sum();
  }

  private Sent of(Channel channel) {
    return Objects.requireNonNull(sent.get(channel));
  }
}
