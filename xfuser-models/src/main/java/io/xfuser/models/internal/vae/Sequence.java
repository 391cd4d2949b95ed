package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.Strip;
import java.util.ArrayList;
import java.util.List;

/**
 * Layers one after the other. What a layer returns lives until the next one has read it, so at any
 * time there are two tensors besides those inside the running layer.
 */
record Sequence(List<Layer> layers) implements Layer {
  Sequence {
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("a sequence of 0 layers");
    }
    layers = List.copyOf(layers);
  }

  /** The same layers; after each of them {@code each} is called. */
  Sequence watched(Runnable each) {
    List<Layer> watched = new ArrayList<>();
    for (Layer layer : layers) {
      watched.add(
          (owner, x, strip) -> {
            NDArray y = layer.forward(owner, x, strip);
            each.run();
            return y;
          });
    }
    return new Sequence(watched);
  }

  @Override
  public NDArray forward(NDManager owner, NDArray x, Strip strip) {
    NDArray hidden = layers.get(0).forward(owner, x, strip);
    for (Layer layer : layers.subList(1, layers.size())) {
      try (NDArray read = hidden) {
        hidden = layer.forward(owner, read, strip);
      }
    }
    return hidden;
  }
}
