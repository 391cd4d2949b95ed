package io.xfuser.server;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.Router;
import io.xfuser.config.InputConfig;
import io.xfuser.model.GenerationRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** OpenAI's routes for pictures. */
final class ImageRoutes {
  private static final int OK = 200;

  private final Served served;
  private final Works works = new Works();

  ImageRoutes(Served served) {
    this.served = served;
  }

  /** What is done with pictures. */
  private enum Kind {
    GENERATION("image_generation"),
    EDIT("image_edit");

    private final String event;

    Kind(String event) {
      this.event = event;
    }
  }

  void on(Router router) {
    router.post("/v1/images/generations").handler(c -> answer(new Call(c), Kind.GENERATION));
    router.post("/v1/images/edits").handler(c -> answer(new Call(c), Kind.EDIT));
  }

  private void answer(Call call, Kind kind) {
    call.body(served.settings().value(ServerSettings.MAX_BODY_BYTES))
        .compose(
            body -> call.context().vertx().executeBlocking(() -> work(call, kind, body), false))
        .onSuccess(work -> wait(call, kind, work))
        .onFailure(call::refuse);
  }

  /** Judges what is asked for, and has it drawn. */
  private Work work(Call call, Kind kind, Buffer body) {
    Form form = Form.read(call.header(HttpHeaders.CONTENT_TYPE), body.getBytes());
    DrawRequest request = DrawRequest.of(form, served.limits());
    boolean pictures = kind == Kind.EDIT || request.input().image() != null;
    Model model = served.model(form.text("model"), false, pictures);
    call.fact("model", model.name());
    if (kind == Kind.EDIT && request.input().image() == null) {
      throw Refusal.badField("image", "an edit needs the picture to edit in the field image");
    }
    requirePictures(model, model.check(request, served.limits()));
    return works.join(
        call.header("idempotency-key"),
        kind + " " + call.header(HttpHeaders.AUTHORIZATION),
        form.fingerprint(),
        () -> new Work(model, request, served.draw(call, model, request, request.stream())));
  }

  /** Refuses what would be a video. */
  static void requirePictures(Model model, GenerationRequest judged) {
    if (judged.latents().pixelFrames() > 1) {
      throw Refusal.badField(
          "model", "the model " + model.name() + " makes videos: ask for them at /v1/videos");
    }
  }

  private void wait(Call call, Kind kind, Work work) {
    Runnable leave =
        () ->
            work.leave(
                Duration.ofMillis(
                    (long) (served.settings().value(ServerSettings.RETRY_SECONDS) * 1000)),
                served::later);
    if (call.response().closed()) {
      leave.run();
      return;
    }
    call.response().closeHandler(closed -> leave.run()); // nothing, once it is drawn
    if (work.request().stream()) {
      new EventStream(call, kind.event, work, served).start();
      return;
    }
    var unused =
        work.made()
            .whenComplete(
                (made, failure) -> {
                  Buffer body =
                      failure == null ? Buffer.buffer(Call.bytes(body(call, work, made))) : null;
                  call.context()
                      .vertx()
                      .runOnContext(
                          now -> {
                            facts(call, work);
                            if (body == null) {
                              refuse(call, work, failure);
                            } else if (!call.response().closed()) {
                              call.response()
                                  .setStatusCode(OK)
                                  .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                                  .end(body);
                            }
                          });
                });
  }

  /** Answers with what went wrong, and when to ask again. */
  static void refuse(Call call, Work work, Throwable failure) {
    Refusal refusal = work.request().fields().drawing(failure);
    if (refusal.status() == Refusal.UNAVAILABLE) {
      call.fact(Call.RETRY_AFTER, work.model().secondsToWait());
    }
    call.refuse(refusal);
  }

  /** What the access log tells of it. */
  static void facts(Call call, Work work) {
    InputConfig input = work.request().input();
    call.fact("queue_ms", work.drawing().waited() / 1_000_000);
    call.fact("pictures", input.numImagesPerPrompt());
    call.fact("seed", input.seeds().isEmpty() ? input.seed() : input.seeds());
  }

  private Map<String, Object> body(Call call, Work work, Work.Made made) {
    List<Map<String, Object>> data = new ArrayList<>();
    for (byte[] file : made.files()) {
      data.add(
          work.request().byUrl()
              ? Map.of("url", served.keep(call, file, work.request().format().format().mediaType()))
              : Map.of("b64_json", Base64.getEncoder().encodeToString(file)));
    }
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("created", made.created());
    body.put("data", data);
    body.putAll(told(work, made));
    body.put("usage", usage());
    return body;
  }

  /** What OpenAI's answers tell beside the pictures. */
  static Map<String, Object> told(Work work, Work.Made made) {
    return Map.of(
        "background",
        "opaque",
        "output_format",
        work.request().format().format().word(),
        "quality",
        "high",
        "size",
        made.width() + "x" + made.height());
  }

  /** There are no tokens to pay for. */
  static Map<String, Object> usage() {
    return Map.of(
        "input_tokens", 0,
        "input_tokens_details", Map.of("image_tokens", 0, "text_tokens", 0),
        "output_tokens", 0,
        "total_tokens", 0);
  }
}
