package io.xfuser.pipeline;

import io.xfuser.config.ModelName;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.hub.Hub;
import io.xfuser.internal.weights.FileName;
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

/**
 * Finds files of weights that are added to a model: here, or on the hub.
 *
 * @param kind what they are of, for messages
 * @param one the same with its article
 * @param usual what a folder's file is called where it has several
 * @param beside what belongs to one of them, if anything does
 * @param pickled what to do with a pickle, for the end of a sentence; empty = nothing
 */
record FilePlaces(
    String kind, String one, List<String> usual, Optional<Beside> beside, String pickled) {
  private static final String WEIGHTS = ".safetensors";
  private static final String PICKLE = ".bin";

  /**
   * What comes with a file, if it is there.
   *
   * @param weights what the file is called
   * @param settings the other one in its folder
   */
  record Beside(String weights, String settings) {}

  /**
   * A file.
   *
   * @param name for messages: the hub's, or the file's without its folders
   * @param path where it is
   */
  record Found(String name, Path path) {}

  /** {@code org/name}, with a revision perhaps, and a file of it. */
  private static final Pattern OF_HUB = Pattern.compile("([^/]+/[^/@]+(?:@[^/]+)?)(?:/(.+))?");

  /**
   * The file that {@code place} names: a file or folder here, else one of the hub.
   *
   * @throws ArgumentException if there is no such file, and it is no name of the hub, or it is a
   *     pipe or device
   * @throws ModelException if it is not clear which file is meant, or it is a pickle
   */
  Found find(String place, Supplier<Hub> hub) {
    Optional<Path> here = path(place).filter(Files::exists);
    if (here.isPresent()) {
      Path file = here.get();
      Path found = Files.isDirectory(file) ? file.resolve(inFolder(file)) : file;
      if (!Files.isRegularFile(found)) { // opening a pipe waits for whoever writes to it
        throw new ArgumentException(
            "%s is no regular file: %s is a %s file, or a folder that has one"
                .formatted(found, one, WEIGHTS));
      }
      requireNoPickle(found.toString());
      return new Found(name(file), found);
    }
    requireNoPickle(place);
    Matcher named = OF_HUB.matcher(place.replace('\\', '/'));
    Optional<ModelName> model =
        named.matches() && !isFile(place, named.group(2))
            ? ModelName.parse(named.group(1))
            : Optional.empty();
    if (model.isEmpty()) {
      throw new ArgumentException(
          "there is no %s %s, and those of the hub are named org/name or org/name/file%s"
              .formatted(kind, place, WEIGHTS));
    }
    String file = named.group(2);
    Path found =
        hub.get().fetchFile(model.get(), names -> choose(model.get(), file, names), file != null);
    return new Found(place, found);
  }

  private void requireNoPickle(String place) {
    if (!pickled.isEmpty() && place.endsWith(PICKLE)) {
      throw new ModelException(place + " is a pickle, which is not read: " + pickled);
    }
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

  private String inFolder(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      Set<String> names =
          files.map(file -> String.valueOf(file.getFileName())).collect(Collectors.toSet());
      return chosen(folder.toString(), names);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The file of {@code model} that is wanted, and what belongs to it. */
  private Set<String> choose(ModelName model, String wanted, Set<String> names) {
    if (wanted != null && !(FileName.isInside(wanted) && names.contains(wanted))) {
      throw new ModelException(
          "%s has no file %s%s"
              .formatted(model, FileName.shown(wanted), instead(", but", weights(names))));
    }
    Set<String> files = new LinkedHashSet<>();
    String file = wanted == null ? chosen(model.toString(), names) : wanted;
    files.add(file);
    beside
        .filter(one -> file.endsWith(one.weights()))
        .map(one -> file.substring(0, file.lastIndexOf('/') + 1) + one.settings())
        .filter(names::contains)
        .ifPresent(files::add);
    return files;
  }

  private String chosen(String place, Set<String> names) {
    Optional<String> known = usual.stream().filter(names::contains).findFirst();
    List<String> all = weights(names).stream().filter(name -> !name.contains("/")).toList();
    if (known.isEmpty() && all.size() != 1) {
      if (all.isEmpty()) {
        names.stream().filter(name -> !name.contains("/")).sorted().forEach(this::requireNoPickle);
      }
      throw new ModelException(
          all.isEmpty()
              ? "%s has no %s file%s"
                  .formatted(place, WEIGHTS, instead(" outside its folders, but", weights(names)))
              : "%s has several files, of which one must be named: %s"
                  .formatted(place, String.join(", ", all)));
    }
    return known.orElseGet(() -> all.get(0));
  }

  private static String instead(String but, List<String> weights) {
    return weights.isEmpty() ? "" : but + " " + weights;
  }

  private static List<String> weights(Set<String> names) {
    return names.stream().filter(name -> name.endsWith(WEIGHTS)).sorted().toList();
  }
}
