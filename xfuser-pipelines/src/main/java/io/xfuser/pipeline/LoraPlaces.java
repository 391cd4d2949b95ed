package io.xfuser.pipeline;

import io.xfuser.hub.Hub;
import io.xfuser.internal.weights.Lora;
import io.xfuser.internal.weights.LoraSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Finds the files of LoRAs: here, or on the hub. */
final class LoraPlaces {
  private static final String PEFT = "adapter_model.safetensors";

  private static final FilePlaces PLACES =
      new FilePlaces(
          "LoRA",
          "a LoRA",
          List.of("pytorch_lora_weights.safetensors", PEFT),
          Optional.of(new FilePlaces.Beside(PEFT, "adapter_config.json")), // peft's settings
          "");

  private LoraPlaces() {}

  /** The LoRA that {@code source} names; throws what {@link FilePlaces#find} does. */
  static Lora find(LoraSource source, Supplier<Hub> hub) {
    FilePlaces.Found found = PLACES.find(source.place(), hub);
    return Lora.of(found.name(), found.path(), source.scale());
  }
}
