package io.xfuser.weights;

import ai.djl.Device;
import io.xfuser.internal.weights.Lora;
import io.xfuser.internal.weights.Prefetcher;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a component's weights are to be, and what is added to them on the way.
 *
 * @param device holds what is in use
 * @param layerwise whether only those of one layer after another are to be there
 * @param loras are added in this order
 * @param prefetcher reads layers ahead of their use; null: they are read as they are used
 */
public record Placement(
    Device device, boolean layerwise, List<Lora> loras, @Nullable Prefetcher prefetcher) {
  /** All on the CPU. */
  public static final Placement CPU = on(Device.cpu());

  /** Nowhere: all that is read there has shape and type, but no content and no memory. */
  public static final Placement NOWHERE = on(Device.of("meta", -1));

  public Placement {
    loras = List.copyOf(loras);
  }

  /** The weights as they are in the files. */
  public Placement(Device device, boolean layerwise) {
    this(device, layerwise, List.of(), null);
  }

  /** All on {@code device}. */
  public static Placement on(Device device) {
    return new Placement(device, false);
  }

  /** The layers of each component are there one after another, read ahead of their use. */
  public static Placement ahead(Device device, Prefetcher prefetcher) {
    return new Placement(device, true, List.of(), prefetcher);
  }

  /** Whether what is read has no memory. */
  public boolean isNowhere() {
    return device.equals(NOWHERE.device);
  }

  /** The same with these LoRAs in the place of others. */
  public Placement with(List<Lora> other) {
    return new Placement(device, layerwise, other, prefetcher);
  }
}
