package io.xfuser.internal.weights;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.failure.Reason;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The names under which diffusers and transformers keep a component's weights, and which of them
 * counts where there are several: in diffusers the shards of an index, in transformers the single
 * file. Source: diffusers 0.36 {@code models/modeling_utils.py} ({@code _fetch_index_file} before
 * {@code _get_model_file}), transformers 4.57 {@code modeling_utils.py} ({@code
 * _get_resolved_checkpoint_files}).
 */
public final class WeightFiles {
  /** The base name that diffusers uses; transformers' is {@code model}. */
  private static final String DIFFUSERS = "diffusion_pytorch_model";

  private static final String TRANSFORMERS = "model";

  private static final Pattern WITHOUT =
      Pattern.compile(".*(Scheduler|Tokenizer|Processor|Extractor)(Fast)?|.*Guidance");

  /** A file of a variant, or the index of its shards: {@code model.fp16.safetensors}. */
  private static final Pattern VARIANT =
      Pattern.compile("[^.]+\\.(?:(\\w+)\\.safetensors|safetensors\\.index\\.(\\w+)\\.json)");

  private WeightFiles() {}

  /**
   * The base name of the files of a component of {@code library}, the first of the two names that
   * {@code model_index.json} has.
   */
  public static String baseName(String library) {
    return library.equals("diffusers") ? DIFFUSERS : TRANSFORMERS;
  }

  /** Whether a component of class {@code className} has weights at all. */
  public static boolean exist(String className) {
    return !WITHOUT.matcher(className).matches();
  }

  /**
   * The file or index to read: of the variant where the directory has it, else the plain one.
   *
   * @throws ModelException saying what there is instead, if there is neither
   */
  public static Path find(Path directory, String baseName, @Nullable String variant) {
    if (!Files.isDirectory(directory)) {
      throw new ModelException(directory + " is not a directory");
    }
    Optional<Path> found = ofVariant(directory, baseName, variant);
    if (found.isEmpty()) {
      found = ofVariant(directory, baseName, null);
    }
    return found.orElseThrow(() -> nothing(directory, baseName, variant));
  }

  public static boolean hasVariant(Path directory, String baseName, String variant) {
    return ofVariant(directory, baseName, variant).isPresent();
  }

  /** The file or index of exactly this variant. */
  static Optional<Path> ofVariant(Path directory, String baseName, @Nullable String variant) {
    return names(baseName, variant).stream()
        .map(directory::resolve)
        .filter(Files::isRegularFile)
        .findFirst();
  }

  /**
   * The names under which weights of exactly this variant may be, the one to prefer first: a file,
   * or an index ({@code .json}) of several.
   */
  public static List<String> names(String baseName, @Nullable String variant) {
    String dotted = variant == null ? "" : "." + variant;
    String whole = baseName + dotted + ".safetensors";
    String index = baseName + ".safetensors.index" + dotted + ".json";
    // as diffusers wrote it before 0.32, and as it still finds it
    String older = baseName + ".safetensors" + dotted + ".index.json";
    List<String> names =
        baseName.equals(DIFFUSERS) ? List.of(index, older, whole) : List.of(whole, index, older);
    return names.stream().distinct().toList();
  }

  private static ModelException nothing(Path directory, String baseName, @Nullable String variant) {
    List<String> pickles = named(directory, "*.bin");
    if (!pickles.isEmpty()) {
      return new ModelException(
          ("%s has only pickled weights (%s), which are not read: convert them once with"
                  + " model.save_pretrained(directory, safe_serialization=True) in Python")
              .formatted(directory, pickles.get(0)));
    }
    String others = variant == null ? "" : ", nor of the variant " + variant;
    List<String> variants = named(directory, baseName + "*.safetensors*");
    return new ModelException(
        "%s has neither %s.safetensors nor %s.safetensors.index.json%s%s"
            .formatted(
                directory,
                baseName,
                baseName,
                others,
                variants.isEmpty()
                    ? ""
                    : ", but " + String.join(", ", variants) + chosen(variants)));
  }

  /** How the only variant that there is can be chosen, for the end of a sentence. */
  private static String chosen(List<String> files) {
    List<String> names =
        files.stream()
            .map(VARIANT::matcher)
            .filter(Matcher::matches)
            .map(found -> Objects.requireNonNullElse(found.group(1), found.group(2)))
            .distinct()
            .toList();
    return names.size() == 1 ? ", which variant " + names.get(0) + " chooses" : "";
  }

  private static List<String> named(Path directory, String glob) {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, glob)) {
      files.forEach(file -> names.add(file.getFileName() + unlessFile(file)));
    } catch (IOException e) {
      throw new ModelException(directory + " cannot be read: " + Reason.of(e));
    }
    Collections.sort(names);
    return names;
  }

  /** What there is under a file's name. */
  private static String unlessFile(Path file) {
    return Files.isRegularFile(file)
        ? ""
        : Files.isDirectory(file) ? " (a folder)" : " (a link to nothing)";
  }
}
