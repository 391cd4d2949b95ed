package io.xfuser.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a model lies.
 *
 * @param model a directory in diffusers' layout, or a name below {@code downloadDir}
 * @param downloadDir where models were downloaded to; {@code null} = {@code model} is a directory
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

  /**
   * The directory to read: {@code model} itself, else {@code downloadDir/model}, else the snapshot
   * of that name in {@code downloadDir} as huggingface_hub lays out its cache.
   *
   * @throws ArgumentException if none of them is a directory
   */
  public Path directory() {
    List<Path> places = new ArrayList<>();
    places.add(model);
    if (downloadDir != null) {
      places.add(downloadDir.resolve(model));
      Path snapshot = snapshot(downloadDir);
      if (snapshot != null) {
        places.add(snapshot);
      }
    }
    for (Path place : places) {
      if (Files.isDirectory(place)) {
        return place;
      }
    }
    throw new ArgumentException(
        "there is no model directory %s%s; models are not downloaded"
            .formatted(
                model, downloadDir == null ? "" : ", nor one of that name in " + downloadDir));
  }

  /** {@code models--org--name/snapshots/COMMIT}, the commit that {@code refs/main} names. */
  private @Nullable Path snapshot(Path cache) {
    List<String> names = new ArrayList<>();
    model.forEach(part -> names.add(part.toString()));
    Path repository = cache.resolve("models--" + String.join("--", names));
    Path commit = repository.resolve("refs").resolve("main");
    if (!Files.isRegularFile(commit)) {
      return null;
    }
    try {
      return repository.resolve("snapshots").resolve(Files.readString(commit).strip());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + commit, e);
    }
  }
}
