package io.xfuser.models.internal.weights;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.ShardIndex;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/**
 * The tensors of one safetensors file, or of all that an index names.
 *
 * @param origin the file or the index, for messages
 * @param files all that are open
 * @param tensors where each tensor is, by its name
 */
record TensorFiles(Path origin, Set<SafeTensorsFile> files, Map<String, Located> tensors)
    implements AutoCloseable {
  /** A tensor of a file. */
  record Located(SafeTensorsFile file, SafeTensorsHeader.TensorInfo entry) {}

  /** Opens {@code file}; an index if its name ends with {@code .json}. */
  static TensorFiles open(Path file) {
    TensorFiles opened = new TensorFiles(file, new LinkedHashSet<>(), new LinkedHashMap<>());
    try {
      if (file.toString().endsWith(".json")) {
        opened.addShards();
      } else {
        opened.add(file);
      }
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
    return opened;
  }

  /**
   * Adds what all shards have. As in diffusers and transformers, which read them one after the
   * other, the index only says which files there are: of a tensor in several the last one counts.
   */
  private void addShards() {
    Map<String, Path> shardOf = ShardIndex.read(origin);
    new TreeSet<>(shardOf.values()).forEach(this::add);
    shardOf.forEach(
        (name, shard) -> {
          if (!tensors.containsKey(name)) {
            throw new ModelException(
                "%s has no tensor \"%s\", which %s promises"
                    .formatted(shard, name, origin.getFileName()));
          }
        });
  }

  private void add(Path path) {
    SafeTensorsFile file = new SafeTensorsFile(path);
    files.add(file);
    file.header().entries().forEach((name, entry) -> tensors.put(name, new Located(file, entry)));
  }

  /** The same tensors by other names; one whose new name is empty is left out. */
  TensorFiles renamed(UnaryOperator<String> names) {
    Map<String, Located> renamed = new LinkedHashMap<>();
    tensors.forEach((name, located) -> renamed.put(names.apply(name), located));
    renamed.remove("");
    return new TensorFiles(origin, files, renamed);
  }

  /** Lets go of the files. */
  @Override
  public void close() {
    files.forEach(SafeTensorsFile::close);
  }
}
