package io.xfuser.server;

import io.vertx.core.buffer.Buffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Files in memory by names that nobody guesses; forgets them after a while, the oldest first. */
final class FileStore {
  private static final int NAME_BYTES = 16;

  private final SecureRandom random = new SecureRandom();
  private final Map<String, Kept> files = new LinkedHashMap<>(); // oldest first; guarded by this
  private final long nanos;
  private final long most;
  private long bytes;

  /** Keeps {@code most} bytes for so long. */
  FileStore(Duration age, long most) {
    this.nanos = age.toNanos();
    this.most = most;
  }

  /**
   * A file.
   *
   * @param bytes of it
   * @param mediaType of it
   * @param since when it came
   */
  record Kept(Buffer bytes, String mediaType, long since) {}

  /** Keeps a file, and tells its name. */
  String keep(byte[] file, String mediaType) {
    byte[] name = new byte[NAME_BYTES];
    random.nextBytes(name);
    String text = "file-" + HexFormat.of().formatHex(name);
    keep(text, file, mediaType);
    return text;
  }

  private synchronized void keep(String name, byte[] file, String mediaType) {
    files.put(name, new Kept(Buffer.buffer(file), mediaType, System.nanoTime()));
    bytes += file.length;
    forget();
  }

  /** The file of that name; null if it is forgotten. */
  synchronized @Nullable Kept get(String name) {
    forget();
    return files.get(name);
  }

  /** Forgets a file now. */
  synchronized void remove(String name) {
    Kept kept = files.remove(name);
    if (kept != null) {
      bytes -= kept.bytes().length();
    }
  }

  private void forget() {
    long now = System.nanoTime();
    Iterator<Kept> oldest = files.values().iterator();
    while (oldest.hasNext()) {
      Kept kept = oldest.next();
      boolean last = !oldest.hasNext();
      if (now - kept.since() < nanos && (bytes <= most || last)) {
        return;
      }
      oldest.remove();
      bytes -= kept.bytes().length();
    }
  }
}
