package io.xfuser.hub;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/** Closes a stream that has brought nothing for a while, so that whoever reads it fails. */
final class StallWatch implements AutoCloseable {
  private final InputStream stream;
  private final Duration limit;
  private final Thread thread;
  private volatile long last = System.nanoTime();
  private volatile boolean stalled;

  StallWatch(InputStream stream, Duration limit) {
    this.stream = stream;
    this.limit = limit;
    thread = new Thread(this::watch, "xfuser-download-watch");
    thread.setDaemon(true);
    thread.start();
  }

  /** Reads what has come next, negative at the end; fails if nothing comes. */
  int read(byte[] buffer) throws IOException {
    try {
      int read = stream.read(buffer);
      last = System.nanoTime();
      return read;
    } catch (IOException e) {
      throw stalled ? new IOException("nothing came for " + limit.toSeconds() + " s") : e;
    }
  }

  private void watch() {
    try {
      while (true) {
        long left = limit.toNanos() - (System.nanoTime() - last);
        if (left <= 0) {
          stalled = true;
          stream.close();
          return;
        }
        Thread.sleep(Duration.ofNanos(left).toMillis() + 1);
      }
    } catch (InterruptedException | IOException e) {
      return; // closed: there is nothing to watch any more
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
