package io.xfuser.pipeline;

import io.xfuser.config.ModelConfig;
import io.xfuser.config.ModelName;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.hub.Hub;
import io.xfuser.internal.files.ModelAssembler;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineProvider;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import io.xfuser.weights.LoadOptions.Quantized;
import io.xfuser.weights.Placement;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Finds models, and what can open them. */
final class ModelSource {
  private static final String INDEX = "model_index.json";

  private ModelSource() {}

  /** Fetches a model of the hub; no weights come of a pipeline that cannot be opened. */
  static Path fetch(ModelName name, ModelConfig config, Hub hub) {
    Path downloads = config.downloadDir();
    Hub place = downloads == null ? hub : hub.withCache(downloads);
    return place.fetch(name, config.variant(), index -> provider(ComponentConfig.read(index)));
  }

  /**
   * {@code directory}, a file too, if there is one.
   *
   * @throws ArgumentException if not
   */
  static Path existing(Path directory) {
    if (!Files.isDirectory(directory) && !Files.isRegularFile(directory)) {
      throw new ArgumentException(
          ModelConfig.isFile(directory)
              ? "there is no model file " + directory
              : "there is no model directory %s, and models of the hub are named org/name"
                  .formatted(directory));
    }
    return directory;
  }

  /** The components of {@code config}, which has a place on this machine. */
  static PipelineComponents components(ModelConfig config, LoadOptions loading, Supplier<Hub> hub) {
    Path place = config.directory().orElseThrow();
    List<ModelAssembler.Adapter> adapters = AdapterPlaces.of(config, hub);
    if (Files.isDirectory(place) && config.parts().isEmpty() && adapters.isEmpty()) {
      return new PipelineComponents(place, components(place), loading);
    }
    return ServiceLoader.load(ModelAssembler.class)
        .findFirst()
        .orElseThrow(
            () -> new ModelException(place + " is a file, and nothing here opens models of files"))
        .assemble(config, adapters, loading);
  }

  /**
   * How the weights of {@code config} are loaded.
   *
   * @param completed the same with what the model says of itself
   */
  static LoadOptions loading(ModelConfig config, ModelConfig completed, RuntimeConfig runtime) {
    return new LoadOptions(
        runtime.dtype(),
        config.variant(),
        Placement.CPU,
        quantized(completed),
        config.keepsTypesWhereCheap() ? 0 : LoadOptions.NEVER);
  }

  private static Quantized quantized(ModelConfig config) {
    if (config.quantize() != null) {
      return Quantized.ALL;
    }
    return config.quantizeTextEncoder() == null ? Quantized.NOTHING : Quantized.TEXT_ENCODERS;
  }

  /** The components that {@code directory} says it has. */
  static ComponentConfig components(Path directory) {
    Path index = directory.resolve(INDEX);
    if (!Files.isRegularFile(index)) {
      throw new ModelException(
          directory + " has no " + INDEX + ", so it is not a diffusers pipeline");
    }
    return ComponentConfig.read(index);
  }

  /** Bytes of all files of weights in {@code directory}, at least 1. */
  static long weightBytes(Path directory) {
    try (Stream<Path> files = Files.walk(directory, 2, FileVisitOption.FOLLOW_LINKS)) {
      return Math.max(
          1, files.filter(ModelConfig::isFile).mapToLong(file -> file.toFile().length()).sum());
    } catch (IOException | UncheckedIOException e) {
      return 1; // what is wrong with the directory is said when it is read
    }
  }

  /** What opens the pipeline of {@code components}. */
  static PipelineProvider provider(ComponentConfig components) {
    String className = components.getString("_class_name");
    Map<String, PipelineProvider> known = new TreeMap<>();
    for (PipelineProvider provider : ServiceLoader.load(PipelineProvider.class)) {
      provider.classNames().forEach(name -> known.put(name, provider));
    }
    PipelineProvider provider = known.get(className);
    if (provider == null) {
      throw new ModelException(
          components.origin()
              + ": the pipeline "
              + className
              + " is not supported, only "
              + String.join(", ", known.keySet()));
    }
    return provider;
  }
}
