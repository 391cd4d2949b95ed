package io.xfuser.models.internal.files;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.failure.ModelException;
import io.xfuser.model.PipelineComponents.Given;
import io.xfuser.models.internal.parts.TwoTransformers;
import io.xfuser.models.internal.weights.Checkpoint;
import io.xfuser.models.internal.weights.Checkpoint.Found;
import io.xfuser.models.internal.weights.CheckpointFormat;
import io.xfuser.weights.ComponentConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Components in files and folders that were given for them. */
final class GivenPart {
  private static final JsonMapper JSON = new JsonMapper();

  private GivenPart() {}

  /**
   * A component in a place that was given.
   *
   * @param more settings that count more than what a file's shapes tell
   */
  static Given of(String name, Path place, Map<String, Object> more) {
    if (Files.isDirectory(place)) {
      FolderInspection.requireKind(name, place);
      return new Given(place, "", null);
    }
    if (name.startsWith("tokenizer") && Files.isRegularFile(place)) {
      throw new ModelException(name + ": " + place + " is no folder of a tokenizer's files");
    }
    return of(name, place, more, component -> name.startsWith(component.component()));
  }

  /** Another transformer of the kind that {@code format} is of. */
  static Given of(String name, Path place, ModelFormat format) {
    return Files.isDirectory(place)
        ? of(name, place, Map.of())
        : of(name, place, format.named(place), found -> found.title().equals(format.title()));
  }

  /** Refuses a file whose transformer or name is not that of a second one of {@code className}. */
  static void requireSecond(Path place, String className) {
    if (!Files.isRegularFile(place)) {
      return;
    }
    List<Found> found = Checkpoint.read(place).components();
    for (Found one : found) {
      if (one.format() instanceof ModelFormat format) {
        if (!format.className().equals(className)) {
          throw new ModelException(
              "%s: %s is %s"
                  .formatted(TwoTransformers.SECOND, place, Unsupported.described(place, found)));
        }
        if (format.half(place) == ModelFormat.Half.FIRST) {
          throw new ModelException(
              "%s: %s is for the steps with more noise".formatted(TwoTransformers.SECOND, place));
        }
      }
    }
  }

  private static Given of(
      String name, Path place, Map<String, Object> more, Predicate<CheckpointFormat> wanted) {
    if (!Files.isRegularFile(place)) {
      throw new ModelException(name + ": there is no " + place);
    }
    List<Found> found = Checkpoint.read(place).components();
    return found.stream()
        .filter(component -> wanted.test(component.format()))
        .findFirst()
        .map(component -> given(place, component, more))
        .orElseThrow(
            () ->
                new ModelException(
                    "%s: %s is %s".formatted(name, place, Unsupported.described(place, found))));
  }

  static Given given(Path place, Found component, Map<String, Object> more) {
    Map<String, Object> settings = new HashMap<>(component.format().config(component.tensors()));
    settings.putAll(more);
    return new Given(place, component.prefix(), json(place + "'s shapes", settings));
  }

  /** The settings of a component, told or in its folder. */
  static ComponentConfig settings(Given given) {
    ComponentConfig told = given.config();
    return told == null ? ComponentConfig.read(given.place().resolve("config.json")) : told;
  }

  static ComponentConfig json(String origin, Map<String, ?> settings) {
    try {
      return ComponentConfig.parse(origin, JSON.writeValueAsString(settings));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
