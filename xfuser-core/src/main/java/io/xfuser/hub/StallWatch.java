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

  /** Something has come. */
  void moved() {
    last = System.nanoTime();
  }

  /** The stream's failure, or the reason for it if this closed the stream. */
  IOException reason(IOException failure) {
    return stalled ? new IOException("nothing came for " + limit.toSeconds() + " s") : failure;
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
