package io.xfuser.models.internal.weights;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.ShardIndex;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/**
 * The tensors of one file, or of all that an index names.
 *
 * @param origin the file or the index, for messages
 * @param files all that are open
 * @param stored the tensors by the names that the files have for them
 * @param tensors by their names
 */
record TensorFiles(
    Path origin, List<MappedFile> files, Map<String, Stored> stored, Map<String, Stored> tensors)
    implements AutoCloseable {
  /** Opens {@code file}; an index if its name ends with {@code .json}. */
  static TensorFiles open(Path file) {
    Map<String, Stored> all = new LinkedHashMap<>();
    TensorFiles opened = new TensorFiles(file, new ArrayList<>(), all, all);
    try {
      if (file.toString().endsWith(".json")) {
        opened.addShards();
      } else {
        opened.add(file);
      }
      return opened.of(Scales.applied(opened.tensors));
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
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
    if (GgufHeader.begins(path)) {
      GgufHeader header = GgufHeader.read(path);
      MappedFile file = mapped(path, header.fileBytes());
      header.entries().forEach((name, entry) -> tensors.put(name, entry.in(file)));
    } else {
      SafeTensorsHeader header = SafeTensorsHeader.read(path);
      MappedFile file = mapped(path, header.fileBytes());
      header.entries().forEach((name, entry) -> tensors.put(name, entry.in(file)));
    }
  }

  private MappedFile mapped(Path path, long bytes) {
    MappedFile file = new MappedFile(path, bytes);
    files.add(file);
    return file;
  }

  /** Other tensors of the same files. */
  TensorFiles of(Map<String, Stored> others) {
    return new TensorFiles(origin, files, stored, others);
  }

  /** The same tensors by other names; one whose new name is empty is left out. */
  TensorFiles renamed(UnaryOperator<String> names) {
    Map<String, Stored> renamed = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> renamed.put(names.apply(name), tensor));
    renamed.remove("");
    return of(renamed);
  }

  /** The tensor {@code name} in a sentence, with the file's own name for what it is made of. */
  String title(String name) {
    Stored tensor = tensors.get(name);
    List<Stored.Extent> extents = tensor == null ? List.of() : tensor.extents();
    Stored same = stored.get(name);
    if (same != null && extents.equals(same.extents())) {
      return "\"" + name + "\"";
    }
    return stored.entrySet().stream()
        .filter(other -> !other.getKey().equals(name))
        .filter(other -> extents.containsAll(other.getValue().extents()))
        .filter(other -> !other.getValue().extents().isEmpty())
        .findFirst()
        .map(other -> "\"%s\" (\"%s\" in the file)".formatted(name, other.getKey()))
        .orElse("\"" + name + "\"");
  }

  /** Lets go of the files. */
  @Override
  public void close() {
    files.forEach(MappedFile::close);
  }
}
