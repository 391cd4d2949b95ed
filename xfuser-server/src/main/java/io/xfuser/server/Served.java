package io.xfuser.server;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.QueueFullException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What all routes share: the models by their names, the limits, and what is kept for a while.
 *
 * @param vertx for what is done later
 * @param settings of the server
 * @param limits of requests
 * @param models at least one
 * @param files what is kept for clients to fetch
 * @param state whether the server takes requests
 */
record Served(
    Vertx vertx,
    ServerSettings settings,
    Limits limits,
    Map<String, Model> models,
    FileStore files,
    State state) {
  /** Whether the server takes requests, and how many it has not answered yet. */
  static final class State {
    private final AtomicBoolean ending = new AtomicBoolean();
    private final AtomicInteger answering = new AtomicInteger();

    boolean isEnding() {
      return ending.get();
    }

    /** Takes none any more; whether it did. */
    boolean end() {
      return ending.compareAndSet(false, true);
    }

    void came() {
      answering.incrementAndGet();
    }

    void answered() {
      answering.decrementAndGet();
    }

    int answering() {
      return answering.get();
    }
  }

  /**
   * The model of that name; clients name those that they know, so else the first that can do what
   * is asked for, else the first of its kind.
   *
   * @param videos whether a video is asked for, else a picture
   * @param pictures whether the request has a picture to start from
   */
  Model model(@Nullable String name, boolean videos, boolean pictures) {
    Model named = name == null ? null : models.get(name);
    if (named != null) {
      return named;
    }
    return all().stream()
        .filter(model -> model.makesVideos() == videos && (!pictures || model.takesPictures()))
        .findFirst()
        .or(() -> all().stream().filter(model -> model.makesVideos() == videos).findFirst())
        .orElseGet(() -> all().iterator().next());
  }

  Collection<Model> all() {
    return models.values();
  }

  /**
   * Has {@code model} draw what {@code call} asks for, in the time that the server allows.
   *
   * @param streamed whether the caller will listen to its progress
   */
  Drawing draw(Call call, Model model, DrawRequest request, boolean streamed) {
    if (state.isEnding()) {
      throw new Refusal(Refusal.UNAVAILABLE, "the server is about to end", "ending");
    }
    long limit = limitMillis(request.deadlineMillis());
    Instant deadline = limit == 0 ? null : Instant.now().plusMillis(limit);
    try {
      Drawing drawing =
          request.fields().judge(() -> model.draw(request.input(), deadline, streamed));
      endBy(drawing, limit);
      return drawing;
    } catch (QueueFullException | ClosedException e) {
      call.fact(Call.RETRY_AFTER, model.secondsToWait());
      throw e;
    }
  }

  /** 0 = never. */
  private long limitMillis(long own) {
    long most = (long) (settings.value(ServerSettings.REQUEST_SECONDS) * 1000);
    return own == 0 || most == 0 ? Math.max(own, most) : Math.min(own, most);
  }

  /** Ends {@code drawing} after so many milliseconds; 0 = never. */
  private void endBy(Drawing drawing, long millis) {
    if (millis > 0) {
      Refusal late =
          new Refusal(
              Refusal.TOO_LATE,
              "the pictures were not there within %d ms".formatted(millis),
              "deadline_exceeded");
      long timer = vertx.setTimer(millis, id -> drawing.giveUp(late));
      var unused = drawing.result().whenComplete((made, failure) -> vertx.cancelTimer(timer));
    }
  }

  /** Does {@code what} after so long. */
  void later(Duration delay, Runnable what) {
    vertx.setTimer(Math.max(1, delay.toMillis()), id -> what.run());
  }

  /** Keeps a file, and tells its address. */
  String keep(Call call, byte[] file, String mediaType) {
    String name = files.keep(file, mediaType);
    String base = settings.get(ServerSettings.PUBLIC_URL);
    if (base == null) {
      String host = call.header(HttpHeaders.HOST);
      base = call.request().scheme() + "://" + (host == null ? "localhost" : host);
    }
    return base.replaceFirst("/+$", "") + "/v1/files/" + name + "/content";
  }
}
