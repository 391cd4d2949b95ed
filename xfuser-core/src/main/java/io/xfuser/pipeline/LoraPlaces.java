package io.xfuser.pipeline;

import io.xfuser.config.ModelName;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.hub.Hub;
import io.xfuser.internal.weights.FileName;
import io.xfuser.internal.weights.Lora;
import io.xfuser.internal.weights.LoraSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Finds the files of LoRAs: here, or on the hub. */
final class LoraPlaces {
  private static final String WEIGHTS = ".safetensors";
  private static final String PEFT = "adapter_model.safetensors";
  private static final String PEFT_CONFIG = "adapter_config.json";

  /** What a folder's LoRA is called where it has several files. */
  private static final List<String> USUAL = List.of("pytorch_lora_weights.safetensors", PEFT);

  /** {@code org/name}, with a revision perhaps, and a file of it. */
  private static final Pattern OF_HUB = Pattern.compile("([^/]+/[^/@]+(?:@[^/]+)?)(?:/(.+))?");

  private LoraPlaces() {}

  /**
   * The LoRA that {@code source} names: a file or folder here, else one of the hub.
   *
   * @throws ArgumentException if there is no such file, and it is no name of the hub, or it is a
   *     pipe or device
   * @throws ModelException if it is not clear which file is meant
   */
  static Lora find(LoraSource source, Supplier<Hub> hub) {
    Optional<Path> here = path(source.place()).filter(Files::exists);
    if (here.isPresent()) {
      Path file = here.get();
      Path found = Files.isDirectory(file) ? file.resolve(inFolder(file)) : file;
      if (!Files.isRegularFile(found)) { // opening a pipe waits for whoever writes to it
        throw new ArgumentException(
            "%s is no regular file: a LoRA is a %s file, or a folder that has one"
                .formatted(found, WEIGHTS));
      }
      return Lora.of(name(file), found, source.scale());
    }
    Matcher named = OF_HUB.matcher(source.place().replace('\\', '/'));
    Optional<ModelName> model =
        named.matches() && !isFile(source.place(), named.group(2))
            ? ModelName.parse(named.group(1))
            : Optional.empty();
    if (model.isEmpty()) {
      throw new ArgumentException(
          "there is no LoRA %s, and those of the hub are named org/name or org/name/file%s"
              .formatted(source.place(), WEIGHTS));
    }
    String file = named.group(2);
    Path found =
        hub.get().fetchFile(model.get(), names -> choose(model.get(), file, names), file != null);
    return Lora.of(source.place(), found, source.scale());
  }

  private static Optional<Path> path(String place) {
    try {
      return Optional.of(Path.of(place));
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }

  /** Whether a place of two steps can be a path alone: repositories are not called so. */
  private static boolean isFile(String place, String file) {
    return file == null && place.endsWith(WEIGHTS);
  }

  /** The last step of the path: the others say who the user is. */
  private static String name(Path file) {
    return String.valueOf(file.toAbsolutePath().normalize().getFileName());
  }

  private static String inFolder(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      Set<String> names =
          files.map(file -> String.valueOf(file.getFileName())).collect(Collectors.toSet());
      return chosen(folder.toString(), names);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The file of {@code model} that is wanted, and peft's settings where they are beside it. */
  private static Set<String> choose(ModelName model, String wanted, Set<String> names) {
    if (wanted != null && !(FileName.isInside(wanted) && names.contains(wanted))) {
      throw new ModelException(
          "%s has no file %s%s"
              .formatted(model, FileName.shown(wanted), instead(", but", weights(names))));
    }
    Set<String> files = new LinkedHashSet<>();
    String file = wanted == null ? chosen(model.toString(), names) : wanted;
    files.add(file);
    String config = file.substring(0, file.lastIndexOf('/') + 1) + PEFT_CONFIG;
    if (file.endsWith(PEFT) && names.contains(config)) {
      files.add(config);
    }
    return files;
  }

  private static String chosen(String place, Set<String> names) {
    Optional<String> usual = USUAL.stream().filter(names::contains).findFirst();
    List<String> all = weights(names).stream().filter(name -> !name.contains("/")).toList();
    if (usual.isEmpty() && all.size() != 1) {
      throw new ModelException(
          all.isEmpty()
              ? "%s has no %s file%s"
                  .formatted(place, WEIGHTS, instead(" outside its folders, but", weights(names)))
              : "%s has several files, of which one must be named: %s"
                  .formatted(place, String.join(", ", all)));
    }
    return usual.orElseGet(() -> all.get(0));
  }

  private static String instead(String but, List<String> weights) {
    return weights.isEmpty() ? "" : but + " " + weights;
  }

  private static List<String> weights(Set<String> names) {
    return names.stream().filter(name -> name.endsWith(WEIGHTS)).sorted().toList();
  }
}
