package io.xfuser.pipeline;

import ai.djl.Device;
import io.xfuser.torchscript.DeviceMemory;
import java.util.OptionalLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The most memory of one rank's device that was taken when somebody looked. */
final class PeakMemory {
  private final Device device;
  private final Function<Device, OptionalLong> taken;
  private @Nullable Long peak;

  PeakMemory(Device device) {
    this(device, DeviceMemory::taken);
  }

  PeakMemory(Device device, Function<Device, OptionalLong> taken) {
    this.device = device;
    this.taken = taken;
  }

  void look() {
    taken.apply(device).ifPresent(now -> peak = peak == null ? now : Math.max(peak, now));
  }

  /** Bytes; null if nothing could be seen. */
  @Nullable Long peak() {
    return peak;
  }
}
