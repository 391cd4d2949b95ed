package io.xfuser.models.internal.files;

import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.files.ModelAssembler;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineComponents.Given;
import io.xfuser.models.internal.parts.TwoTransformers;
import io.xfuser.models.internal.text.ClipPictures;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Puts together a pipeline of a transformer's file, and of files and folders given beside it. */
public final class SingleFiles implements ModelAssembler {
  @Override
  public PipelineComponents assemble(
      ModelConfig config, List<Adapter> adapters, LoadOptions loading) {
    Path model = config.directory().orElseThrow();
    Map<String, Path> parts = new LinkedHashMap<>(config.parts());
    Path eyes = adapters.isEmpty() ? null : parts.remove(ClipPictures.ENCODER);
    PipelineComponents plain =
        Files.isDirectory(model)
            ? exchanged(model, parts, loading)
            : new Assembly(model, parts).components(loading);
    return adapters.isEmpty() ? plain : GivenAdapters.beside(plain, adapters, eyes);
  }

  @Override
  public Map<String, Object> inspect(Path place, Map<String, Path> parts) {
    return Files.isDirectory(place) ? FolderInspection.of(place) : Inspection.ofFile(place, parts);
  }

  /** What the model in {@code file} needs that is not in it, by the names of settings. */
  static List<String> missing(Path file, Map<String, Path> parts) {
    return new Assembly(file, parts).missing();
  }

  private static PipelineComponents exchanged(
      Path directory, Map<String, Path> parts, LoadOptions loading) {
    ComponentConfig index = ComponentConfig.read(directory.resolve("model_index.json"));
    PipelineComponents plain = new PipelineComponents(directory, index, loading);
    Map<String, Given> given = new LinkedHashMap<>();
    parts.forEach(
        (name, place) -> {
          if (!plain.has(name)) {
            throw new ModelException(index.origin() + " has no " + name + " that could be another");
          }
          if (name.equals(TwoTransformers.SECOND)) {
            TwoTransformers.requireBoundary(index);
            GivenPart.requireSecond(place, plain.className(name));
          }
          Map<String, Object> own = new HashMap<>();
          if (Files.isRegularFile(place) && !name.startsWith("tokenizer")) {
            ComponentConfig old = plain.config(name, "config.json");
            old.keys().stream().filter(old::has).forEach(key -> own.put(key, old.value(key)));
            own.remove("quantization_config"); // of the weights that are not read
          }
          given.put(name, GivenPart.of(name, place, own));
          if (name.startsWith("text_encoder") && Files.isDirectory(place)) {
            FolderInspection.requireFamily(name, place, plain.className(name));
          }
        });
    return new PipelineComponents(directory, index, loading, given);
  }
}
