package io.xfuser.hub;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.ShardIndex;
import io.xfuser.internal.weights.WeightFiles;
import io.xfuser.weights.ComponentConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The files of a repository that a pipeline reads: for each component in its {@code
 * model_index.json} settings, vocabulary and safetensors weights of one variant. Pickled weights,
 * checkpoints of other programs and the other variants stay where they are.
 */
final class PipelineFiles {
  static final String INDEX = "model_index.json";

  /** A model's own defaults of a request, where it has some. */
  private static final String DEFAULTS = "xfuser.json";

  /** Files beside the weights, but for indices of weights. */
  private static final Pattern SETTINGS = Pattern.compile("(?!.*\\.index\\.).*\\.(json|txt|model)");

  private static final Pattern PICKLED = Pattern.compile(".*\\.(bin|ckpt|pt|pth|pkl)");

  private final String model;
  private final Set<String> listed;
  private final @Nullable String variant;
  private final List<String> settings = new ArrayList<>(List.of(INDEX));
  private final List<String> weights = new ArrayList<>();
  private boolean allOfVariant = true;

  /**
   * Chooses among {@code listed}.
   *
   * @throws ModelException if a component is not there, or not in a form that can be read
   */
  PipelineFiles(String model, Set<String> listed, ComponentConfig index, @Nullable String variant) {
    this.model = model;
    this.listed = listed;
    this.variant = variant;
    if (listed.contains(DEFAULTS)) {
      settings.add(DEFAULTS);
    }
    for (String name : new TreeSet<>(index.keys())) {
      if (index.text(name).startsWith("[\"")) {
        List<String> libraryAndClass = index.getStringList(name);
        String className = libraryAndClass.get(libraryAndClass.size() - 1);
        String baseName = WeightFiles.baseName(libraryAndClass.get(0));
        add(name, className, baseName);
      }
    }
  }

  /** Settings, vocabularies and the indices of weights in several files. */
  List<String> settings() {
    return settings;
  }

  /**
   * The files of weights.
   *
   * @param snapshot where the settings are
   * @throws ModelException if an index names a file that is not listed
   */
  List<String> weights(Path snapshot) {
    List<String> files = new ArrayList<>();
    for (String chosen : weights) {
      if (!chosen.endsWith(".json")) {
        files.add(chosen);
        continue;
      }
      for (String shard : ShardIndex.fileNames(snapshot.resolve(chosen))) {
        String file = chosen.substring(0, chosen.indexOf('/') + 1) + shard;
        if (!listed.contains(file)) {
          throw new ModelException("%s has no %s, which %s names".formatted(model, file, chosen));
        }
        files.add(file);
      }
    }
    return files;
  }

  /** Whether no component was left with its plain weights for want of the variant's. */
  boolean allOfVariant() {
    return allOfVariant;
  }

  private void add(String component, String className, String baseName) {
    List<String> names = namesIn(component);
    if (names.isEmpty()) {
      throw new ModelException(model + " has no folder " + component);
    }
    names.stream()
        .filter(name -> SETTINGS.matcher(name).matches())
        .forEach(name -> settings.add(component + "/" + name));
    if (!WeightFiles.exist(className)) {
      return;
    }
    if (!names.contains("config.json")) {
      throw new ModelException(model + " has no " + component + "/config.json");
    }
    Optional<String> ofVariant =
        variant == null ? Optional.empty() : find(names, baseName, variant);
    allOfVariant &= variant == null || ofVariant.isPresent();
    String chosen =
        component
            + "/"
            + ofVariant
                .or(() -> find(names, baseName, null))
                .orElseThrow(() -> unreadable(component, names));
    weights.add(chosen);
    if (chosen.endsWith(".json")) {
      settings.add(chosen);
    }
  }

  /** What lies in the folder itself. */
  private List<String> namesIn(String component) {
    String prefix = component + "/";
    return listed.stream()
        .filter(file -> file.startsWith(prefix) && file.indexOf('/', prefix.length()) < 0)
        .map(file -> file.substring(prefix.length()))
        .sorted()
        .toList();
  }

  private static Optional<String> find(
      List<String> names, String baseName, @Nullable String variant) {
    return WeightFiles.names(baseName, variant).stream().filter(names::contains).findFirst();
  }

  private ModelException unreadable(String component, List<String> names) {
    List<String> others = names.stream().filter(name -> name.contains(".safetensors")).toList();
    if (!others.isEmpty()) {
      return new ModelException(
          "%s has no plain weights in %s, but %s: the variant chooses among them"
              .formatted(model, component, String.join(", ", others)));
    }
    Optional<String> pickle =
        names.stream().filter(name -> PICKLED.matcher(name).matches()).findFirst();
    return new ModelException(
        pickle
            .map(
                name ->
                    ("%s has only pickled weights in %s (%s), which are not read: convert them once"
                            + " in Python with DiffusionPipeline.from_pretrained(\"%s\")"
                            + ".save_pretrained(DIR, safe_serialization=True) and open DIR")
                        .formatted(model, component, name, model))
            .orElse("%s has no weights in %s".formatted(model, component)));
  }
}
