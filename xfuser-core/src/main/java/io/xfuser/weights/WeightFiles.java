package io.xfuser.weights;

import io.xfuser.failure.Reason;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The names under which diffusers and transformers keep a component's weights. Source: diffusers
 * {@code models/model_loading_utils.py}, transformers {@code modeling_utils.py}.
 */
final class WeightFiles {
  private WeightFiles() {}

  /** The file or index to read: of the variant where the directory has it, else the plain one. */
  static Path find(Path directory, String baseName, @Nullable String variant) {
    if (!Files.isDirectory(directory)) {
      throw new WeightsException(directory + " is not a directory");
    }
    Optional<Path> found = ofVariant(directory, baseName, variant);
    if (found.isEmpty()) {
      found = ofVariant(directory, baseName, null);
    }
    return found.orElseThrow(() -> nothing(directory, baseName, variant));
  }

  /** The file or index of exactly this variant. */
  static Optional<Path> ofVariant(Path directory, String baseName, @Nullable String variant) {
    return names(baseName, variant).stream()
        .map(directory::resolve)
        .filter(Files::isRegularFile)
        .findFirst();
  }

  /** The names of exactly this variant, the one to prefer first. */
  static List<String> names(String baseName, @Nullable String variant) {
    return variant == null
        ? List.of(baseName + ".safetensors", baseName + ".safetensors.index.json")
        : List.of(
            baseName + "." + variant + ".safetensors",
            baseName + ".safetensors.index." + variant + ".json",
            // as diffusers wrote it before 0.32
            baseName + ".safetensors." + variant + ".index.json");
  }

  private static WeightsException nothing(
      Path directory, String baseName, @Nullable String variant) {
    List<String> pickles = named(directory, "*.bin");
    if (!pickles.isEmpty()) {
      return new WeightsException(
          ("%s has only pickled weights (%s), which are not read: convert them once with"
                  + " model.save_pretrained(directory, safe_serialization=True) in Python")
              .formatted(directory, pickles.get(0)));
    }
    String others = variant == null ? "" : ", nor of the variant " + variant;
    List<String> variants = named(directory, baseName + "*.safetensors*");
    return new WeightsException(
        "%s has neither %s.safetensors nor %s.safetensors.index.json%s%s"
            .formatted(
                directory,
                baseName,
                baseName,
                others,
                variants.isEmpty() ? "" : ", but " + String.join(", ", variants)));
  }

  private static List<String> named(Path directory, String glob) {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, glob)) {
      files.forEach(file -> names.add(String.valueOf(file.getFileName())));
    } catch (IOException e) {
      throw new WeightsException(directory + " cannot be read: " + Reason.of(e));
    }
    Collections.sort(names);
    return names;
  }
}
