package io.xfuser.models.internal.text;

import io.xfuser.model.PipelineComponents;
import io.xfuser.models.internal.lora.LoraFusion;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import java.nio.file.Path;
import java.util.function.Supplier;

/**
 * What a text encoder is made of.
 *
 * @param weights opens its weights
 * @param config the settings, for the class that {@code model_index.json} names if there is one
 * @param loading to float32, bfloat16 or float16
 * @param promised whether an encoder is only tried: nothing of its weights is read
 */
public record EncoderFolder(
    Supplier<ComponentWeights> weights,
    ComponentConfig config,
    LoadOptions loading,
    boolean promised) {
  /** The file of settings. */
  static final String CONFIG = "config.json";

  /** A folder that no pipeline names: the settings alone say what it is. */
  static EncoderFolder of(Path directory, LoadOptions loading) {
    return new EncoderFolder(
        () -> ComponentWeights.open(directory, "model", loading),
        ComponentConfig.read(directory.resolve(CONFIG)),
        loading,
        false);
  }

  static EncoderFolder of(PipelineComponents components, String name) {
    return new EncoderFolder(
        () -> LoraFusion.of(components, name),
        components.config(name, CONFIG),
        components.loading(),
        false);
  }

  /** The same for a class that it does not name itself. */
  EncoderFolder ofClass(String name) {
    return new EncoderFolder(weights, config.ofClass(name), loading, promised);
  }

  /** The same, to try whether an encoder can be opened. */
  EncoderFolder onTrial() {
    return new EncoderFolder(weights, config, loading, true);
  }

  /** The same, {@code looking} at its weights. */
  EncoderFolder onTrial(ComponentWeights.Decorator looking) {
    return new EncoderFolder(() -> weights.get().decorated(looking), config, loading, true);
  }

  boolean layerwise() {
    return loading.placement().layerwise();
  }
}
