package io.xfuser.weights;

import ai.djl.Device;
import io.xfuser.internal.weights.Lora;
import java.util.List;

/**
 * Where a component's weights are to be, and what is added to them on the way.
 *
 * @param device holds what is in use
 * @param layerwise whether only those of one layer after another are to be there
 * @param loras are added in this order
 */
public record Placement(Device device, boolean layerwise, List<Lora> loras) {
  /** All on the CPU. */
  public static final Placement CPU = on(Device.cpu());

  /** Copies the list. */
  public Placement {
    loras = List.copyOf(loras);
  }

  /** The weights as they are in the files. */
  public Placement(Device device, boolean layerwise) {
    this(device, layerwise, List.of());
  }

  /** All on {@code device}. */
  public static Placement on(Device device) {
    return new Placement(device, false);
  }

  /** The same with these LoRAs in the place of others. */
  public Placement with(List<Lora> other) {
    return new Placement(device, layerwise, other);
  }
}
