package io.xfuser.pipeline;

import ai.djl.ndarray.NDArray;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Tensors that a caller gives in the place of what the pipeline would make.
 *
 * @param latents noise (images, c, h, w) in the place of the seed's; null for none
 * @param text the text encoder's tensors by name, one row per picture, negative ones with the
 *     prefix {@code negative_}; empty for none
 */
public record GivenTensors(@Nullable NDArray latents, Map<String, NDArray> text) {
  /** Nothing given. */
  public static final GivenTensors NONE = new GivenTensors(null, Map.of());

  /** Copies the map. */
  public GivenTensors {
    text = Map.copyOf(text);
  }
}
