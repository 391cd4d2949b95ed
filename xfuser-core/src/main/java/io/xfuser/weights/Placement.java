package io.xfuser.weights;

import ai.djl.Device;

/**
 * Where a component's weights are to be.
 *
 * @param device holds what is in use
 * @param layerwise whether only those of one layer after another are to be there
 */
public record Placement(Device device, boolean layerwise) {
  /** All on the CPU. */
  public static final Placement CPU = new Placement(Device.cpu(), false);

  /** All on {@code device}. */
  public static Placement on(Device device) {
    return new Placement(device, false);
  }
}
