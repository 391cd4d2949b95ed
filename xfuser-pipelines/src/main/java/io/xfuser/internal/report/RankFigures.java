package io.xfuser.internal.report;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.device.DeviceClock;
import io.xfuser.internal.device.DeviceClock.Mark;
import io.xfuser.internal.device.DeviceMemory;
import io.xfuser.internal.parallel.ByteCounter;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.weights.ReadAhead;
import io.xfuser.report.RankReport;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What one rank took, held and sent in one request. Belongs to the rank's thread. */
public final class RankFigures {
  private static final Span NONE = () -> 0;

  private final NDManager request;
  private final Device device;
  private final DeviceClock clock;
  private final Supplier<OptionalLong> deviceMemory;
  private final long begin = System.nanoTime();
  private final List<Span> steps = new ArrayList<>();
  private Span load = NONE;
  private Span textEncode = NONE;
  private Span denoise = NONE;
  private Span vae = NONE;
  private Span encode = NONE;
  private long transformerBytes;
  private long textBytes;
  private long vaeBytes;
  private long encoderBytes;
  private long keptBytes;
  private long attentionBytes;
  private long peakBytes;
  private int computedPasses;
  private int sparedPasses;
  private int reusedTexts;
  private ReadAhead readAhead = ReadAhead.NONE;
  private @Nullable Long peakDeviceBytes;
  private @Nullable NDArray unsent;

  /**
   * Nothing so far.
   *
   * @param request owns all tensors of the request
   * @param device where the rank computes
   * @param clock of that device
   */
  public RankFigures(NDManager request, Device device, DeviceClock clock) {
    this(request, device, clock, () -> DeviceMemory.taken(device));
  }

  RankFigures(
      NDManager request, Device device, DeviceClock clock, Supplier<OptionalLong> deviceMemory) {
    this.request = request;
    this.device = device;
    this.clock = clock;
    this.deviceMemory = deviceMemory;
  }

  /** What is known once the device has come so far. */
  private interface Span {
    double seconds();
  }

  public DeviceClock clock() {
    return clock;
  }

  /** Now, as the device will have it. */
  public Mark mark() {
    return clock.mark();
  }

  /** Weights were loaded since then; those that were before count too. */
  public void loaded(Mark since) {
    load = more(load, since);
  }

  public void textEncoded(Mark since) {
    textEncode = to(since, clock.mark());
  }

  public void stepTaken(Mark since, Mark until) {
    steps.add(to(since, until));
  }

  /** Steps were taken since then; those before a pause count too. */
  public void denoised(Mark since) {
    denoise = more(denoise, since);
  }

  private Span more(Span before, Mark since) {
    Span more = to(since, clock.mark());
    return () -> before.seconds() + more.seconds();
  }

  public void decoded(Mark since) {
    vae = to(since, clock.mark());
  }

  /** A picture that the request brought is encoded. */
  public void pictureEncoded(Mark since) {
    encode = to(since, clock.mark());
  }

  private static Span to(Mark since, Mark until) {
    return () -> (until.nanos() - since.nanos()) / 1e9;
  }

  /** A stage of so many bytes is used, beside those of other transformers. */
  public void transformer(long parameterBytes) {
    transformerBytes += parameterBytes;
  }

  /** An encoder of so many bytes is used. */
  public void textEncoder(long parameterBytes) {
    textBytes = parameterBytes;
  }

  /** What sees pictures that are prompts is used, of so many bytes, after an encoder of texts. */
  public void pictureEncoder(long parameterBytes) {
    textBytes += parameterBytes;
  }

  /** A decoder of so many bytes is used. */
  public void vaeDecoder(long parameterBytes) {
    vaeBytes = parameterBytes;
  }

  /** An encoder of pictures of so many bytes is used. */
  public void vaeEncoder(long parameterBytes) {
    encoderBytes = parameterBytes;
  }

  /** So many bytes of keys and values are kept from step to step. */
  public void kept(long bytes) {
    keptBytes = Math.max(keptBytes, bytes);
  }

  /** Text that was encoded for an earlier request is used again. */
  public void textReused() {
    reusedTexts++;
  }

  /** A pass through all of the rank's blocks was computed. */
  public void computed() {
    computedPasses++;
  }

  /** A pass through the blocks was spared by a step cache. */
  public void spared() {
    sparedPasses++;
  }

  /**
   * Where what is not sent of changed values is added up: (2) in fp32 on the device, the changes
   * and all values, as sums of absolute numbers.
   */
  public NDArray unsent() {
    NDArray sums = unsent;
    if (sums == null) {
      try (NDManager scope = request.newSubManager()) {
        sums = Torch.zerosLike(request, Torch.empty(scope, device, ElementType.FLOAT32, 2));
      }
      unsent = sums;
    }
    return sums;
  }

  private double unsentChange() {
    if (unsent == null) {
      return 0;
    }
    float[] sums = unsent.toFloatArray();
    return sums[1] == 0 ? 0 : sums[0] / sums[1];
  }

  /** So much more was read ahead of its use. */
  public void readAhead(ReadAhead more) {
    readAhead = readAhead.plus(more);
  }

  /** Looks how much of the device's memory is taken now, where it can be asked for. */
  public void look() {
    Long before = peakDeviceBytes;
    deviceMemory
        .get()
        .ifPresent(now -> peakDeviceBytes = before == null ? now : Math.max(before, now));
  }

  /** Counts the tensors that are open now. */
  public void count() {
    peakBytes = Math.max(peakBytes, Torch.openBytes(request));
  }

  /** The same attention, after which tensors are counted. */
  public Attention watch(Attention attention) {
    return new Attention() {
      @Override
      public NDArray attend(NDManager owner, Qkv qkv) {
        NDArray values = attention.attend(owner, qkv); // (B, T + l, H, D)
        long bytes = ElementType.bytesOf(qkv.packed()) + ElementType.bytesOf(values);
        attentionBytes = Math.max(attentionBytes, bytes);
        count();
        return values;
      }

      @Override
      public long bufferBytes() {
        return attention.bufferBytes();
      }
    };
  }

  double loadSeconds() {
    return load.seconds();
  }

  double totalSeconds() {
    return (System.nanoTime() - begin) / 1e9;
  }

  /** All of it so far, and what went through {@code world}; waits until the device is here. */
  public RankReport report(World world) {
    Map<String, Long> sent = new TreeMap<>();
    for (Channel channel : Channel.values()) {
      sent.merge(label(channel), world.counter().sent(channel), Long::sum);
    }
    return new RankReport(
        world.rank(),
        transformerBytes,
        textBytes,
        vaeBytes + encoderBytes,
        keptBytes,
        attentionBytes,
        sent,
        betweenNodes(world.counter()),
        peakBytes,
        Torch.name(device),
        peakDeviceBytes,
        textEncode.seconds(),
        reusedTexts,
        denoise.seconds(),
        steps.stream().map(Span::seconds).toList(),
        computedPasses,
        sparedPasses,
        unsentChange(),
        readAhead.bytes(),
        readAhead.waitNanos() / 1e9,
        vae.seconds() + encode.seconds());
  }

  private static Map<String, RankReport.Sent> betweenNodes(ByteCounter counter) {
    Map<String, RankReport.Sent> sent = new TreeMap<>();
    for (Channel channel : Channel.values()) {
      long messages = counter.messagesBetweenNodes(channel);
      if (messages > 0) {
        sent.merge(
            label(channel),
            new RankReport.Sent(counter.betweenNodes(channel), messages),
            RankFigures::both);
      }
    }
    return sent;
  }

  private static RankReport.Sent both(RankReport.Sent one, RankReport.Sent other) {
    return new RankReport.Sent(one.bytes() + other.bytes(), one.messages() + other.messages());
  }

  private static String label(Channel channel) {
    return (channel == Channel.SKIP ? Channel.PIPEFUSION : channel).label();
  }
}
