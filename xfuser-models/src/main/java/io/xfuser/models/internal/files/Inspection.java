package io.xfuser.models.internal.files;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.WeightFiles;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.lora.LoraSummary;
import io.xfuser.models.internal.weights.Checkpoint;
import io.xfuser.models.internal.weights.Checkpoint.Found;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.Tensors;
import io.xfuser.torchscript.ElementType;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** Says what is on a disk: which model, which components, how much of which types, what lacks. */
final class Inspection {
  private Inspection() {}

  /**
   * What is in {@code file}.
   *
   * @param parts of a model that are given beside it, by their names
   */
  static Map<String, Object> ofFile(Path file, Map<String, Path> parts) {
    if (!Files.isRegularFile(file)) {
      throw new ModelException("there is no file or directory " + file);
    }
    Checkpoint checkpoint = Checkpoint.read(file);
    List<Found> found = checkpoint.components();
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("file", file.toString());
    String title = Unsupported.described(checkpoint, found);
    report.put("is", title);
    report.putAll(amounts(checkpoint.tensors()));
    if (title.equals(Unsupported.LORA)) {
      report.put("lora", LoraSummary.of(file));
      return report;
    }
    List<Object> components = new ArrayList<>();
    for (Found one : found) {
      Map<String, Object> component = new LinkedHashMap<>();
      component.put("component", one.format().component());
      component.put("is", one.format().title());
      component.put("prefix", one.prefix());
      component.putAll(amounts(one.tensors()));
      component.put("config", new TreeMap<>(one.format().config(one.tensors())));
      components.add(component);
    }
    report.put("components", components);
    found.stream()
        .filter(one -> one.format() instanceof ModelFormat)
        .findFirst()
        .ifPresent(
            one -> {
              String pipeline = ((ModelFormat) one.format()).pipeline(one.tensors(), file);
              report.put("pipeline", pipeline);
              report.put("supported", isSupported(pipeline));
              report.put("missing", SingleFiles.missing(file, parts));
            });
    return report;
  }

  private static boolean isSupported(String pipeline) {
    return ServiceLoader.load(PipelineProvider.class).stream()
        .anyMatch(provider -> provider.get().classNames().contains(pipeline));
  }

  static Map<String, Object> ofPipeline(Path directory) {
    Path file = directory.resolve("model_index.json");
    ComponentConfig index = ComponentConfig.read(file);
    PipelineComponents all =
        new PipelineComponents(directory, index, LoadOptions.of(ElementType.FLOAT32));
    String pipeline = index.className().orElse("");
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("directory", directory.toString());
    report.put("pipeline", pipeline);
    report.put("supported", isSupported(pipeline));
    List<Object> components = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    for (String name : index.keys()) {
      if (index.text(name).startsWith("[") && all.has(name)) {
        components.add(component(all, name, missing));
      }
    }
    report.put("components", components);
    report.put("missing", missing);
    return report;
  }

  private static Map<String, Object> component(
      PipelineComponents all, String name, List<String> missing) {
    Map<String, Object> component = new LinkedHashMap<>();
    component.put("component", name);
    component.put("is", all.className(name));
    if (!Files.isDirectory(all.folder(name))) {
      missing.add(name);
    } else if (WeightFiles.exist(all.className(name))) {
      try (ComponentWeights weights = ComponentWeights.open(all, name)) {
        component.putAll(amounts(weights.tensors()));
      } catch (ModelException e) {
        component.put("problem", e.getMessage());
        missing.add(name);
      }
    }
    return component;
  }

  /** How many tensors there are, of which types, and how large. */
  static Map<String, Object> amounts(Tensors tensors) {
    Map<String, Object> types = new LinkedHashMap<>();
    long bytes = 0;
    for (Map.Entry<String, Tensors.Amount> type : tensors.types().entrySet()) {
      Tensors.Amount amount = type.getValue();
      types.put(type.getKey(), Map.of("tensors", amount.count(), "bytes", amount.bytes()));
      bytes += amount.bytes();
    }
    Map<String, Object> amounts = new LinkedHashMap<>();
    amounts.put("tensors", tensors.names().size());
    amounts.put("bytes", bytes);
    amounts.put("types", types);
    return amounts;
  }
}
