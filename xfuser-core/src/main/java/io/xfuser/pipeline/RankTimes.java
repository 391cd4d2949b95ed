package io.xfuser.pipeline;

import io.xfuser.parallel.Channel;
import io.xfuser.parallel.World;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** How long one rank took for what, and what it held for it. */
final class RankTimes {
  private final long begin = System.nanoTime();
  private final List<Double> steps = new ArrayList<>();
  private double load;
  private double textEncode;
  private long textBytes;
  private long vaeBytes;
  private double denoise;
  private double vae;

  void loaded(long since) {
    load = secondsSince(since);
  }

  void textEncoded(long since) {
    textEncode = secondsSince(since);
  }

  /** An encoder of so many bytes is used. */
  void textEncoder(long parameterBytes) {
    textBytes = parameterBytes;
  }

  /** A decoder of so many bytes is used. */
  void vaeDecoder(long parameterBytes) {
    vaeBytes = parameterBytes;
  }

  void stepTaken(long since) {
    steps.add(secondsSince(since));
  }

  void denoised(long since) {
    denoise = secondsSince(since);
  }

  void decoded(long since) {
    vae = secondsSince(since);
  }

  double loadSeconds() {
    return load;
  }

  double totalSeconds() {
    return secondsSince(begin);
  }

  /** This rank's figures so far. */
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
        textEncode,
        denoise,
        List.copyOf(steps),
        vae);
  }

  private static double secondsSince(long nanos) {
    return (System.nanoTime() - nanos) / 1e9;
  }
}
