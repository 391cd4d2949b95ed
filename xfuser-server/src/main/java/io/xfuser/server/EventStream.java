package io.xfuser.server;

import io.vertx.core.Context;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.xfuser.progress.Progress;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An answer by server-sent events: unfinished pictures, then the finished ones. A comment now and
 * then keeps proxies from closing a connection on which nothing happens.
 */
final class EventStream {
  private static final long COMMENT_MILLIS = 5_000;

  private final Call call;
  private final String kind;
  private final Work work;
  private final Served served;
  private final Context context;
  private int partial;

  EventStream(Call call, String kind, Work work, Served served) {
    this.call = call;
    this.kind = kind;
    this.work = work;
    this.served = served;
    this.context = call.context().vertx().getOrCreateContext();
  }

  void start() {
    HttpServerResponse response = call.response();
    response
        .setChunked(true)
        .putHeader(HttpHeaders.CONTENT_TYPE, "text/event-stream")
        .putHeader(HttpHeaders.CACHE_CONTROL, "no-cache")
        .putHeader("x-accel-buffering", "no"); // nginx
    write(": waiting\n\n");
    long comments =
        call.context()
            .vertx()
            .setPeriodic(COMMENT_MILLIS, id -> write(": " + work.drawing().percent() + " %\n\n"));
    work.drawing().listen(this::progressed);
    var unused =
        work.made()
            .whenComplete(
                (made, failure) -> {
                  String last = failure == null ? finished(made) : failed(failure);
                  context.runOnContext(
                      now -> {
                        call.context().vertx().cancelTimer(comments);
                        ImageRoutes.facts(call, work);
                        write(last);
                        if (!response.closed()) {
                          response.end();
                        }
                      });
                });
  }

  private void progressed(Progress progress) {
    if (progress instanceof Progress.Preview preview) {
      for (BufferedImage picture : preview.pictures()) {
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("b64_json", encoded(picture));
        event.put("partial_image_index", partial++);
        String text = event("partial_image", event, picture.getWidth() + "x" + picture.getHeight());
        context.runOnContext(now -> write(text));
      }
    } else if (Model.isStep(progress)) {
      String text = ": " + progress.line() + "\n\n";
      context.runOnContext(now -> write(text));
    }
  }

  private String encoded(BufferedImage picture) {
    try {
      byte[] file = work.request().format().encode(picture, Map.of());
      return Base64.getEncoder().encodeToString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String finished(Work.Made made) {
    StringBuilder events = new StringBuilder();
    for (byte[] file : made.files()) {
      Map<String, Object> event = new LinkedHashMap<>();
      if (work.request().byUrl()) {
        event.put("url", served.keep(call, file, work.request().format().format().mediaType()));
      }
      event.put("b64_json", Base64.getEncoder().encodeToString(file));
      event.put("usage", ImageRoutes.usage());
      events.append(event("completed", event, made.width() + "x" + made.height()));
    }
    return events.toString();
  }

  private String event(String what, Map<String, Object> event, String size) {
    String type = kind + "." + what;
    event.put("type", type);
    event.put("created_at", System.currentTimeMillis() / 1000);
    event.put("background", "opaque");
    event.put("output_format", work.request().format().format().word());
    event.put("quality", "high");
    event.put("size", size);
    return "event: " + type + "\ndata: " + text(event) + "\n\n";
  }

  private String failed(Throwable failure) {
    Refusal refusal = work.request().fields().drawing(failure);
    call.fact("error", refusal.reason());
    Map<String, Object> event = new LinkedHashMap<>(refusal.body());
    event.put("type", "error");
    return "event: error\ndata: " + text(event) + "\n\n";
  }

  private static String text(Object value) {
    return new String(Call.bytes(value), StandardCharsets.UTF_8);
  }

  private void write(String text) {
    if (!call.response().closed() && !call.response().ended()) {
      var unused = call.response().write(text);
    }
  }
}
