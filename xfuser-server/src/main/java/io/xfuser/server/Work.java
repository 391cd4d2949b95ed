package io.xfuser.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;

/** A drawing with what its pictures are encoded to, and the clients that wait for them. */
final class Work {
  private final Model model;
  private final DrawRequest request;
  private final Drawing drawing;
  private final CompletableFuture<Made> made;
  private int clients; // guarded by this
  private boolean abandoned; // guarded by this

  Work(Model model, DrawRequest request, Drawing drawing) {
    this.model = model;
    this.request = request;
    this.drawing = drawing;
    this.made = drawing.result().thenApply(this::encoded);
  }

  /**
   * Files of the pictures.
   *
   * @param files in their order
   * @param width of each in pixels
   * @param height of each in pixels
   * @param created seconds since 1970
   */
  record Made(List<byte[]> files, int width, int height, long created) {}

  private Made encoded(Drawn drawn) {
    model.metrics().pictures(drawn.pictures().size());
    List<byte[]> files = new ArrayList<>();
    try {
      for (Drawn.Picture picture : drawn.pictures()) {
        files.add(request.format().encode(picture.frames().get(0), picture.provenance()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    var first = drawn.pictures().get(0).frames().get(0);
    return new Made(files, first.getWidth(), first.getHeight(), System.currentTimeMillis() / 1000);
  }

  Model model() {
    return model;
  }

  DrawRequest request() {
    return request;
  }

  Drawing drawing() {
    return drawing;
  }

  CompletableFuture<Made> made() {
    return made;
  }

  /** Another client waits for it; false if it is given up already. */
  synchronized boolean enter() {
    if (abandoned) {
      return false;
    }
    clients++;
    return true;
  }

  /**
   * A client has left. The last one has it given up after {@code patience}, if none comes until
   * then.
   *
   * @param later runs something after so long
   */
  void leave(Duration patience, BiConsumer<Duration, Runnable> later) {
    synchronized (this) {
      clients--;
    }
    if (patience.isZero()) {
      abandonIfAlone();
    } else {
      later.accept(patience, this::abandonIfAlone);
    }
  }

  private void abandonIfAlone() {
    synchronized (this) {
      if (clients > 0 || abandoned) {
        return;
      }
      abandoned = true;
    }
    drawing.abandon();
  }
}
