package io.xfuser.models.internal.pixart;

import io.xfuser.models.internal.adaln.AdaLnConfig;
import io.xfuser.weights.ComponentConfig;

/** PixArt's transformer: {@link io.xfuser.models.internal.adaln.AdaLn} as it stands. */
public final class PixArt {
  private PixArt() {}

  /**
   * Read from {@code transformer/config.json}. α at 1024 pixels has size conditions.
   *
   * @throws IllegalArgumentException naming the setting that is missing or not supported
   */
  public static AdaLnConfig config(ComponentConfig json) {
    json.require("attention_type", "default");
    AdaLnConfig config = AdaLnConfig.from(json);
    String sizes = "use_additional_conditions"; // null has the default here
    return config.masked(json.has(sizes) ? json.getBoolean(sizes) : config.sampleSize() == 128);
  }
}
