package io.xfuser.hub;

import io.xfuser.failure.HubException;
import io.xfuser.internal.weights.FileName;
import io.xfuser.progress.ProgressListener;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Brings what a cache lacks of one commit. */
final class Download {
  /** Settings and vocabularies are read into memory. */
  private static final long LARGEST_SETTINGS = 1L << 28;

  private static final String WEIGHTS = ".safetensors";

  private final HubClient client;
  private final ModelCache cache;
  private final String commit;
  private final Transfer transfer;

  Download(
      HubClient client,
      ModelCache cache,
      String commit,
      RetryPolicy patience,
      ProgressListener listener) {
    this.client = client;
    this.cache = cache;
    this.commit = commit;
    this.transfer = new Transfer(client, commit, patience, listener);
  }

  /** Brings {@code model_index.json}. */
  void index() throws IOException {
    bring(List.of(PipelineFiles.INDEX));
  }

  /** Brings all other files, and lets the revision be this commit. */
  void rest(PipelineFiles files) throws IOException {
    bring(files.settings());
    bring(files.weights(cache.snapshot(commit)));
    cache.keepCommit(commit);
  }

  /** Brings files that are no pipeline, and lets the revision be this commit. */
  void files(Collection<String> names) throws IOException {
    bring(names);
    cache.keepCommit(commit);
  }

  private void bring(Collection<String> names) throws IOException {
    List<RemoteFile> files = new ArrayList<>();
    for (String name : ModelCache.missing(cache.snapshot(commit), names)) {
      files.add(describe(name));
    }
    Path blobs = Files.createDirectories(cache.blobs());
    requireRoom(files, blobs);
    for (RemoteFile file : files) {
      Path blob = blobs.resolve(file.etag());
      transfer.receive(file, blob);
      cache.link(commit, file.name(), blob);
    }
  }

  private RemoteFile describe(String name) {
    if (!FileName.isInside(name)) {
      throw new HubException("the hub lists the impossible name " + FileName.shown(name));
    }
    try {
      RemoteFile file = client.describe(commit, name);
      if (file.size() > LARGEST_SETTINGS && !name.endsWith(WEIGHTS)) {
        throw new HubException(
            "the hub's %s has %d bytes, too many for what is not weights"
                .formatted(name, file.size()));
      }
      return file;
    } catch (IOException e) {
      throw new HubException(
          "the hub does not answer for %s: %s".formatted(name, HubException.reason(e)), e);
    }
  }

  private static void requireRoom(List<RemoteFile> files, Path blobs) throws IOException {
    long needed = 0;
    for (RemoteFile file : files) {
      Path blob = blobs.resolve(file.etag());
      Path part = Files.exists(blob) ? blob : Transfer.incomplete(blob);
      long missing = file.size() - (Files.exists(part) ? Files.size(part) : 0);
      needed = missing > Long.MAX_VALUE - needed ? Long.MAX_VALUE : needed + missing;
    }
    FileStore disk = Files.getFileStore(blobs);
    if (needed > disk.getUsableSpace() && disk.getTotalSpace() > 0) {
      throw new HubException(
          "%s has no room: %d files need %d bytes, and %d are free"
              .formatted(blobs, files.size(), needed, disk.getUsableSpace()));
    }
  }
}
