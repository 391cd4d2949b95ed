package io.xfuser.config;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where a model lies.
 *
 * @param model a directory in diffusers' layout, or {@code org/name} or {@code org/name@revision}
 *     of the Hugging Face hub
 * @param downloadDir the folder to keep models of the hub in; {@code null} = the cache that all
 *     programs share
 * @param trustRemoteCode has no effect, because no code of a model is ever run
 * @param variant the part of weight file names between name and extension, {@code fp16} in {@code
 *     model.fp16.safetensors}; {@code null} = none
 */
public record ModelConfig(
    Path model, @Nullable Path downloadDir, boolean trustRemoteCode, @Nullable String variant) {

  /** The directory {@code model}, with its plain weight files. */
  public static ModelConfig of(Path model) {
    return new ModelConfig(model, null, false, null);
  }

  /** The same model at another place. */
  public ModelConfig at(Path place) {
    return new ModelConfig(place, downloadDir, trustRemoteCode, variant);
  }

  /** The directory {@code model}, else {@code downloadDir/model}; nothing if there is neither. */
  public Optional<Path> directory() {
    List<Path> places =
        downloadDir == null ? List.of(model) : List.of(model, downloadDir.resolve(model));
    return places.stream().filter(Files::isDirectory).findFirst();
  }
}
