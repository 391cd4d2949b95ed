package io.xfuser.pipeline;

import io.xfuser.parallel.Channel;
import io.xfuser.parallel.World;
import io.xfuser.torchscript.DeviceClock;
import io.xfuser.torchscript.DeviceClock.Mark;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** How long one rank took for what, and what it held for it. */
final class RankTimes {
  private static final Span NONE = () -> 0;

  private final DeviceClock clock;
  private final long begin = System.nanoTime();
  private final List<Span> steps = new ArrayList<>();
  private Span load = NONE;
  private Span textEncode = NONE;
  private long textBytes;
  private long vaeBytes;
  private Span denoise = NONE;
  private Span vae = NONE;

  /** By the clock of the device where it computes. */
  RankTimes(DeviceClock clock) {
    this.clock = clock;
  }

  /** What is known once the device has come so far. */
  private interface Span {
    double seconds();
  }

  DeviceClock clock() {
    return clock;
  }

  void loaded(Mark since) {
    load = to(since, clock.mark());
  }

  void textEncoded(Mark since) {
    textEncode = to(since, clock.mark());
  }

  /** An encoder of so many bytes is used. */
  void textEncoder(long parameterBytes) {
    textBytes = parameterBytes;
  }

  /** A decoder of so many bytes is used. */
  void vaeDecoder(long parameterBytes) {
    vaeBytes = parameterBytes;
  }

  void stepTaken(Mark since, Mark until) {
    steps.add(to(since, until));
  }

  void denoised(Mark since) {
    denoise = to(since, clock.mark());
  }

  void decoded(Mark since) {
    vae = to(since, clock.mark());
  }

  double loadSeconds() {
    return load.seconds();
  }

  double totalSeconds() {
    return (System.nanoTime() - begin) / 1e9;
  }

  /** This rank's figures so far; waits until its device has come here. */
  RankReport report(World world, RankReport.Held held) {
    Map<String, Long> sent = new TreeMap<>();
    for (Channel channel : Channel.values()) {
      sent.put(channel.label(), world.counter().sent(channel));
    }
    sent.merge(Channel.PIPEFUSION.label(), world.counter().sent(Channel.SKIP), Long::sum);
    sent.remove(Channel.SKIP.label());
    return new RankReport(
        world.rank(),
        held.parameterBytes(),
        textBytes,
        vaeBytes,
        held.kvBufferBytes(),
        held.gauge().attentionBytes(),
        sent,
        held.gauge().peakBytes(),
        held.device(),
        held.peakDeviceBytes(),
        textEncode.seconds(),
        denoise.seconds(),
        steps.stream().map(Span::seconds).toList(),
        vae.seconds());
  }

  private static Span to(Mark since, Mark until) {
    return () -> (until.nanos() - since.nanos()) / 1e9;
  }
}
