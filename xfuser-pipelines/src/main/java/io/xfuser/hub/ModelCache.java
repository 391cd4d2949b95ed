package io.xfuser.hub;

import io.xfuser.config.ModelName;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.FileName;
import io.xfuser.weights.ComponentConfig;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One model's folder in a cache, as huggingface_hub lays it out: {@code refs/<revision>} holds a
 * commit, {@code snapshots/<commit>} links to the files in {@code blobs}, which are named by their
 * ETags. Beside them {@code .listings/<commit>}, our own, has the names of all files of a commit:
 * it tells, without a request, whether a snapshot has all that a variant needs.
 */
final class ModelCache {
  private static final int DEPTH = 2;

  private final ModelName model;
  private final Path root;
  private final Path folder;

  ModelCache(Path root, ModelName model) {
    this.model = model;
    this.root = root;
    this.folder = root.resolve(model.folder());
  }

  /** The lock file of the model. */
  Path lockFile() {
    return root.resolve(".locks").resolve(model.folder()).resolve("download.lock");
  }

  Path blobs() {
    return folder.resolve("blobs");
  }

  Path snapshot(String commit) {
    return folder.resolve("snapshots").resolve(commit);
  }

  /**
   * The snapshot of the revision, if it has all that a pipeline needs.
   *
   * @param lenient whether to believe a snapshot that another program began to write: a component
   *     without the variant may then have it at the hub
   */
  Optional<Path> complete(@Nullable String variant, boolean lenient) throws IOException {
    Optional<String> commit = commit();
    if (commit.isEmpty()) {
      return Optional.empty();
    }
    Path snapshot = snapshot(commit.get());
    Path index = snapshot.resolve(PipelineFiles.INDEX);
    if (!Files.isRegularFile(index)) {
      return Optional.empty();
    }
    Path listing = listing(commit.get());
    boolean listed = Files.isRegularFile(listing);
    try {
      Set<String> names =
          listed ? new LinkedHashSet<>(Files.readAllLines(listing)) : present(snapshot);
      PipelineFiles files =
          new PipelineFiles(model.toString(), names, ComponentConfig.read(index), variant);
      boolean sure = listed || lenient || files.allOfVariant();
      boolean all =
          missing(snapshot, files.settings()).isEmpty()
              && missing(snapshot, files.weights(snapshot)).isEmpty();
      return sure && all ? Optional.of(snapshot) : Optional.empty();
    } catch (ModelException e) {
      return Optional.empty(); // what is missing is found out, and said, from the hub's own list
    }
  }

  /**
   * The first of the files that {@code choosing} wants of the revision, if all of them are there.
   *
   * @param lenient whether to choose among what is there where the names of all files are not known
   */
  Optional<Path> having(UnaryOperator<Set<String>> choosing, boolean lenient) throws IOException {
    Optional<String> commit = commit();
    if (commit.isEmpty() || !Files.isDirectory(snapshot(commit.get()))) {
      return Optional.empty();
    }
    Path snapshot = snapshot(commit.get());
    Path listing = listing(commit.get());
    boolean listed = Files.isRegularFile(listing);
    try {
      Set<String> chosen =
          choosing.apply(
              listed ? new LinkedHashSet<>(Files.readAllLines(listing)) : present(snapshot));
      return (listed || lenient) && missing(snapshot, chosen).isEmpty()
          ? Optional.of(snapshot.resolve(chosen.iterator().next()))
          : Optional.empty();
    } catch (ModelException e) {
      return Optional.empty(); // the hub may have more by now
    }
  }

  /** Those of {@code files} that {@code snapshot} does not have. */
  static List<String> missing(Path snapshot, Collection<String> files) {
    return files.stream().filter(file -> !Files.isRegularFile(snapshot.resolve(file))).toList();
  }

  private Optional<String> commit() throws IOException {
    if (model.isCommit()) {
      return Optional.of(model.revision());
    }
    Path ref = ref();
    return Files.isRegularFile(ref)
        ? Optional.of(Files.readString(ref).strip()).filter(ModelName::isCommit)
        : Optional.empty();
  }

  private Path ref() {
    return folder.resolve("refs").resolve(model.revision());
  }

  private Path listing(String commit) {
    return folder.resolve(".listings").resolve(commit);
  }

  private static Set<String> present(Path snapshot) throws IOException {
    try (Stream<Path> files =
        Files.find(snapshot, DEPTH, (file, is) -> Files.isRegularFile(file))) {
      return files
          .map(file -> snapshot.relativize(file).toString().replace('\\', '/'))
          .collect(Collectors.toSet());
    }
  }

  /** Remembers all names of a commit. */
  void keepListing(HubClient.Listing listing) throws IOException {
    write(listing(listing.commit()), String.join("\n", listing.files()));
  }

  /** Remembers what the revision stands for; last, so that it never leads to half a snapshot. */
  void keepCommit(String commit) throws IOException {
    if (!model.isCommit()) {
      write(ref(), commit);
    }
  }

  private static void write(Path file, String text) throws IOException {
    Path written = Files.createDirectories(parent(file)).resolve(file.getFileName() + ".new");
    Files.writeString(written, text);
    Files.move(written, file, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Lets {@code file} of the snapshot be {@code blob}. */
  void link(String commit, String file, Path blob) throws IOException {
    Path snapshot = snapshot(commit);
    Path link = snapshot.resolve(file);
    if (!FileName.isInside(file) || !link.normalize().startsWith(snapshot.normalize())) {
      throw new IllegalArgumentException(FileName.shown(file) + " is no file of a model");
    }
    Path place = Files.createDirectories(parent(link));
    Files.deleteIfExists(link); // one whose blob is gone
    try {
      Files.createSymbolicLink(link, place.relativize(blob));
    } catch (UnsupportedOperationException | FileSystemException e) {
      Files.move(blob, link); // as huggingface_hub does where there are no links
    }
  }

  private static Path parent(Path file) {
    Path parent = file.getParent();
    if (parent == null) {
      throw new IllegalArgumentException(file + " has no folder");
    }
    return parent;
  }
}
