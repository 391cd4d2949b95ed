package io.xfuser.models.internal.weights;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * A file of weights without settings, and the components that are in it.
 *
 * @param file the file
 * @param tensors all that it has
 */
public record Checkpoint(Path file, Tensors tensors) {
  /** What a component begins with where it is alone. */
  private static final String ALONE = "";

  private static final String TRANSFORMER = "transformer";

  /** What a ControlNet has beside blocks of the transformer that it is for. */
  private static final String CONTROL = "controlnet_(blocks|x_embedder)\\..*";

  public static Checkpoint read(Path file) {
    try (TensorFiles files = TensorFiles.open(file)) {
      return new Checkpoint(file, new Tensors(files.tensors()));
    }
  }

  /**
   * A component in a file.
   *
   * @param format how it lies there
   * @param prefix of its names
   * @param tensors by the model's names
   */
  public record Found(CheckpointFormat format, String prefix, Tensors tensors) {}

  /** The components that the file has, each at its prefix. */
  public List<Found> components() {
    List<Found> found = new ArrayList<>();
    for (CheckpointFormat format : ServiceLoader.load(CheckpointFormat.class)) {
      for (String prefix : format.prefixes()) {
        at(format, prefix).ifPresent(found::add);
      }
      at(format, ALONE).ifPresent(found::add);
    }
    return found;
  }

  private Optional<Found> at(CheckpointFormat format, String prefix) {
    Tensors below = prefix.isEmpty() ? tensors : tensors.below(prefix);
    boolean beside = format.component().equals(TRANSFORMER) && below.any(CONTROL);
    return !beside && format.fits(below)
        ? Optional.of(new Found(format, prefix, format.canonical(below)))
        : Optional.empty();
  }

  /** The tensors at {@code prefix} of {@code files} by the names of the model that has them. */
  static TensorFiles canonical(TensorFiles files, String prefix) {
    Tensors below = new Tensors(files.tensors()).below(prefix);
    return files.of(
        ServiceLoader.load(CheckpointFormat.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(format -> format.fits(below))
            .findFirst()
            .map(format -> format.canonical(below))
            .orElse(below)
            .stored());
  }
}
