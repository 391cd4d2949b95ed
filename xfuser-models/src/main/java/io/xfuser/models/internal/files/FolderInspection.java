package io.xfuser.models.internal.files;

import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.internal.weights.WeightFiles;
import io.xfuser.models.internal.parts.TwoTransformers;
import io.xfuser.models.internal.scheduler.Schedulers;
import io.xfuser.models.internal.text.ClipPictures;
import io.xfuser.models.internal.text.TextComponents;
import io.xfuser.models.internal.vae.Vaes;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Says what a folder is: a pipeline, one component of it, a LoRA, or a place in the hub's cache.
 */
final class FolderInspection {
  private static final List<String> LORAS =
      List.of("pytorch_lora_weights.safetensors", "adapter_model.safetensors");
  private static final String CONFIG = "config.json";
  private static final String SCHEDULER = "scheduler_config.json";
  private static final String TOKENIZER = "tokenizer_config.json";
  private static final String CLIP = "CLIP";

  private FolderInspection() {}

  static Map<String, Object> of(Path folder) {
    if (has(folder, "model_index.json")) {
      return Inspection.ofPipeline(folder);
    } else if (has(folder, CONFIG)) {
      return component(folder);
    } else if (has(folder, SCHEDULER)) {
      ComponentConfig config = ComponentConfig.read(folder.resolve(SCHEDULER));
      Map<String, Object> report = settings(folder, config);
      report.put("supported", Schedulers.with(Set.of()).contains(className(config)));
      return report;
    } else if (TokenizerPlaces.isTokenizer(folder)) {
      return tokenizer(folder);
    }
    Optional<Path> lora =
        LORAS.stream().map(folder::resolve).filter(Files::isRegularFile).findFirst();
    if (lora.isPresent()) {
      return Inspection.ofFile(lora.get(), Map.of());
    }
    return snapshot(folder).map(FolderInspection::of).orElseGet(() -> alone(folder));
  }

  private static boolean has(Path folder, String file) {
    return Files.isRegularFile(folder.resolve(file));
  }

  /** The snapshot that {@code refs/main} names, or the only one, of a repository in the cache. */
  private static Optional<Path> snapshot(Path folder) {
    Path main = folder.resolve("refs").resolve("main");
    try {
      if (Files.isRegularFile(main)) {
        String revision = Files.readString(main).strip();
        return Optional.of(folder.resolve("snapshots").resolve(revision))
            .filter(Files::isDirectory);
      }
    } catch (IOException e) {
      throw new ModelException(main + " cannot be read: " + Reason.of(e), e);
    }
    Path all = folder.resolve("snapshots");
    List<Path> snapshots = Files.isDirectory(all) ? in(all) : List.of();
    return snapshots.size() == 1 ? Optional.of(snapshots.get(0)) : Optional.empty();
  }

  /** The one file of weights in a folder without settings. */
  private static Map<String, Object> alone(Path folder) {
    List<Path> files = in(folder).stream().filter(ModelConfig::isFile).toList();
    if (files.size() == 1) {
      return Inspection.ofFile(files.get(0), Map.of());
    }
    throw new ModelException(
        files.isEmpty()
            ? folder
                + " has no model_index.json, so it is not a diffusers pipeline, and nothing of a"
                + " component of one or of a LoRA"
            : "%s has no model_index.json and %d files of weights: name one of them, %s for example"
                .formatted(folder, files.size(), files.get(0).getFileName()));
  }

  private static List<Path> in(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new ModelException(folder + " cannot be read: " + Reason.of(e), e);
    }
  }

  /** A transformer, an autoencoder or a text encoder with its settings. */
  private static Map<String, Object> component(Path folder) {
    ComponentConfig config = ComponentConfig.read(folder.resolve(CONFIG));
    boolean diffusers = config.className().isPresent();
    Map<String, Object> report = settings(folder, config);
    String name = className(config);
    if (!name.contains("Transformer")) { // whose class does not tell what it is used by
      report.put("supported", known(name).contains(name));
    }
    LoadOptions loading = LoadOptions.of(ElementType.FLOAT32);
    String base = WeightFiles.baseName(diffusers ? "diffusers" : "transformers");
    try (ComponentWeights weights = ComponentWeights.open(folder, base, loading)) {
      report.putAll(Inspection.amounts(weights.tensors()));
      report.put("missing", List.of());
    } catch (ModelException e) {
      report.put("problem", e.getMessage());
      report.put("missing", List.of("weights"));
    }
    return report;
  }

  /** The classes of the same kind that can be used here, where a registry tells. */
  private static Set<String> known(String name) {
    return name.startsWith("Autoencoder") ? Vaes.with(Set.of()) : TextComponents.encoders(Set.of());
  }

  /**
   * Refuses the folder of another component where {@code name} is given.
   *
   * @throws ModelException naming the class that it has
   */
  static void requireKind(String name, Path folder) {
    if (name.startsWith("tokenizer") || !has(folder, CONFIG)) {
      return; // what is missing is said by who reads it
    }
    String found = className(ComponentConfig.read(folder.resolve(CONFIG)));
    boolean vae = found.startsWith("Autoencoder") || Vaes.with(Set.of()).contains(found);
    boolean transformer = found.contains("Transformer");
    boolean other = vae || transformer || found.startsWith("UNet");
    boolean wrong =
        switch (name) {
          case "vae" -> other && !vae;
          case TwoTransformers.SECOND -> !transformer;
          case ClipPictures.ENCODER ->
              !found.startsWith("CLIPVision")
                  && !found.equals("CLIPModel")
                  && !found.startsWith("Siglip");
          default -> other;
        };
    if (wrong) {
      throw new ModelException("%s: %s has %s".formatted(name, folder, articled(found)));
    }
  }

  /**
   * Refuses a text encoder of CLIP where another is wanted, or the other way round.
   *
   * @param wanted the class that the pipeline has there
   * @throws ModelException naming both classes
   */
  static void requireFamily(String name, Path folder, String wanted) {
    String found =
        has(folder, CONFIG) ? className(ComponentConfig.read(folder.resolve(CONFIG))) : wanted;
    if (found.startsWith(CLIP) != wanted.startsWith(CLIP)) {
      throw new ModelException(
          "%s: %s has %s, but the model takes %s there"
              .formatted(name, folder, articled(found), articled(wanted)));
    }
  }

  private static String articled(String className) {
    return ("AEIOU".indexOf(className.charAt(0)) < 0 ? "a " : "an ") + className;
  }

  private static String className(ComponentConfig config) {
    return config
        .className()
        .or(
            () ->
                config.has("architectures")
                    ? config.getStringList("architectures").stream().findFirst()
                    : Optional.empty())
        .orElse("of a class that " + config.origin() + " does not name");
  }

  private static Map<String, Object> settings(Path folder, ComponentConfig config) {
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("directory", folder.toString());
    report.put("is", className(config));
    Map<String, Object> all = new TreeMap<>();
    config.keys().stream().filter(config::has).forEach(key -> all.put(key, config.value(key)));
    report.put("config", all);
    return report;
  }

  private static Map<String, Object> tokenizer(Path folder) {
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("directory", folder.toString());
    Optional<String> name =
        has(folder, TOKENIZER)
            ? Optional.of(ComponentConfig.read(folder.resolve(TOKENIZER)))
                .filter(config -> config.has("tokenizer_class"))
                .map(config -> config.getString("tokenizer_class"))
            : Optional.empty();
    report.put("is", name.orElse("a tokenizer"));
    report.put(
        "files",
        in(folder).stream()
            .filter(Files::isRegularFile)
            .map(file -> String.valueOf(file.getFileName()))
            .toList());
    return report;
  }
}
