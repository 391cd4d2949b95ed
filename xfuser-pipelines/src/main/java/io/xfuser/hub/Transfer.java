package io.xfuser.hub;

import io.xfuser.failure.CancelledException;
import io.xfuser.failure.HubException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;

/**
 * Brings files of one commit, piece by piece if connections break: what has arrived is kept in
 * {@code <blob>.incomplete}, also from one run to the next, as huggingface_hub keeps it.
 */
final class Transfer {
  private static final int BUFFER = 1 << 18;
  private static final int PARTIAL = 206;
  private static final int TIMES = 2;
  private static final long REPORT = Duration.ofMillis(200).toNanos();

  private final HubClient client;
  private final String commit;
  private final RetryPolicy patience;
  private final ProgressListener listener;

  Transfer(HubClient client, String commit, RetryPolicy patience, ProgressListener listener) {
    this.client = client;
    this.commit = commit;
    this.patience = patience;
    this.listener = listener;
  }

  /**
   * Receives {@code file} into {@code blob}, unless it is there, and checks it.
   *
   * @throws HubException if connections break too often, or what arrives is damaged twice
   */
  void receive(RemoteFile file, Path blob) throws IOException {
    if (Files.isRegularFile(blob) && Files.size(blob) == file.size()) {
      return;
    }
    Path incomplete = incomplete(blob);
    String defect = "";
    for (int time = 0; time < TIMES; time++) {
      receiveAll(file, incomplete);
      Optional<String> found = file.defect(incomplete);
      if (found.isEmpty()) {
        Files.move(incomplete, blob, StandardCopyOption.REPLACE_EXISTING);
        return;
      }
      defect = found.get();
      Files.delete(incomplete);
    }
    throw new HubException("%s arrived damaged %d times: %s".formatted(file.name(), TIMES, defect));
  }

  /** Where the bytes of {@code blob} are until all have come. */
  static Path incomplete(Path blob) {
    return blob.resolveSibling(blob.getFileName() + ".incomplete");
  }

  private void receiveAll(RemoteFile file, Path to) throws IOException {
    long most = size(to);
    if (most > file.size()) {
      Files.delete(to);
      most = 0;
    }
    tell(file, most);
    for (int failures = 0; size(to) < file.size() || !Files.exists(to); ) {
      try {
        receiveSome(file, to);
      } catch (IOException e) {
        failures = size(to) > most ? 1 : failures + 1;
        most = Math.max(most, size(to));
        if (failures >= patience.tries()) {
          throw new HubException(
              "the download of %s broke off %d times at byte %d of %d, the last time because: %s"
                  .formatted(file.name(), failures, most, file.size(), HubException.reason(e)),
              e);
        }
        patience.pauseAfter(failures);
      }
    }
  }

  /** Appends what one connection brings. */
  private void receiveSome(RemoteFile file, Path to) throws IOException {
    long start = size(to);
    HubClient.Answer answer = client.open(commit, file.name(), start);
    boolean appends = answer.status() == PARTIAL && start > 0;
    try (InputStream body = answer.response().body();
        StallWatch watch = new StallWatch(body, patience.stall());
        OutputStream out = open(to, appends)) {
      if (appends) {
        String range = answer.headers().firstValue("Content-Range").orElse("");
        if (!range.startsWith("bytes " + start + "-")) {
          throw new IOException("bytes from " + start + " on were asked for, but came " + range);
        }
      }
      long end = copy(file, appends ? start : 0, watch, out);
      if (end < file.size()) {
        throw new EOFException("the connection ended early");
      }
    }
  }

  private long copy(RemoteFile file, long start, StallWatch watch, OutputStream out)
      throws IOException {
    byte[] buffer = new byte[BUFFER];
    long at = start;
    long reported = System.nanoTime();
    while (at <= file.size()) { // more than announced is damage enough
      int read = watch.read(buffer);
      if (read < 0) {
        break;
      }
      write(out, buffer, read, file.name());
      at += read;
      long now = System.nanoTime();
      if (now - reported > REPORT || at == file.size()) {
        reported = now;
        tell(file, at);
      }
    }
    return at;
  }

  private void tell(RemoteFile file, long received) {
    Progress progress = new Progress.Downloading(file.name(), received, file.size());
    if (!listener.progressed(progress)) {
      throw new CancelledException("cancelled while " + progress.doing());
    }
  }

  private static OutputStream open(Path to, boolean appends) {
    try {
      return appends
          ? Files.newOutputStream(to, StandardOpenOption.APPEND)
          : Files.newOutputStream(to);
    } catch (IOException e) {
      throw new HubException("cannot write " + to + ": " + Reason.of(e), e);
    }
  }

  private static void write(OutputStream out, byte[] buffer, int length, String name) {
    try {
      out.write(buffer, 0, length);
    } catch (IOException e) {
      throw new HubException("cannot write " + name + ": " + Reason.of(e), e);
    }
  }

  private static long size(Path file) throws IOException {
    return Files.exists(file) ? Files.size(file) : 0;
  }
}
