package io.xfuser.server;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.Router;
import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The route of xDiT's own server (its entrypoints/launch.py): the same fields, defaults and answer.
 * Pictures are not written to the server's disk, whatever {@code save_disk_path} says.
 */
final class GenerateRoute {
  /** What xDiT's server takes where a request says nothing. */
  private static final Map<Setting<?>, Object> DEFAULTS =
      Map.of(
          InputConfig.NUM_INFERENCE_STEPS, 50,
          InputConfig.SEED, 42,
          InputConfig.HEIGHT, 1024,
          InputConfig.WIDTH, 1024);

  private static final double GUIDANCE = 7.5;
  private static final int OK = 200;
  private static final double NANOS = 1e9;

  private final Served served;

  GenerateRoute(Served served) {
    this.served = served;
  }

  /** What is taken where a request says nothing, in words. */
  static String defaults() {
    Map<String, Object> all = new TreeMap<>();
    DEFAULTS.forEach((setting, value) -> all.put(setting.name(), value));
    all.put(InputConfig.GUIDANCE_SCALE.name(), GUIDANCE);
    return all.toString().replaceAll("[{}]", "").replace('=', ' ');
  }

  void on(Router router) {
    router.post("/generate").handler(c -> answer(new Call(c)));
  }

  private void answer(Call call) {
    call.body(served.settings().value(ServerSettings.MAX_BODY_BYTES))
        .compose(body -> call.context().vertx().executeBlocking(() -> work(call, body), false))
        .onSuccess(work -> wait(call, work))
        .onFailure(call::refuse);
  }

  private Work work(Call call, Buffer body) {
    Form form = Form.read(call.header(HttpHeaders.CONTENT_TYPE), body.getBytes());
    if (form.fields().get("save_disk_path") != null) {
      throw Refusal.badField(
          "save_disk_path", "pictures are not written to the server's disk, but answered");
    }
    Map<String, Object> open = new LinkedHashMap<>();
    DEFAULTS.forEach((setting, value) -> open.put(setting.name(), value));
    open.put(InputConfig.GUIDANCE_SCALE.name(), form.fields().getOrDefault("cfg", GUIDANCE));
    open.keySet().removeAll(form.fields().keySet());
    String prompt = form.text(InputConfig.PROMPT.name());
    if (prompt == null || prompt.isEmpty()) {
      throw Refusal.badField("prompt", "Prompt cannot be empty");
    }
    DrawRequest request = DrawRequest.of(form.with(open), served.limits());
    boolean pictures = request.input().image() != null;
    Model model = served.model(form.text("model"), false, pictures);
    call.fact("model", model.name());
    ImageRoutes.requirePictures(model, model.check(request, served.limits()));
    Work work = new Work(model, request, served.draw(call, model, request, false));
    work.enter();
    return work;
  }

  private void wait(Call call, Work work) {
    call.response().closeHandler(closed -> work.leave(Duration.ZERO, served::later));
    var unused =
        work.made()
            .whenComplete(
                (made, failure) ->
                    call.context()
                        .vertx()
                        .runOnContext(
                            now -> {
                              ImageRoutes.facts(call, work);
                              if (failure == null) {
                                call.json(OK, body(work, made));
                              } else {
                                ImageRoutes.refuse(call, work, failure);
                              }
                            }));
  }

  private static Map<String, Object> body(Work work, Work.Made made) {
    return Map.of(
        "message",
        "Image generated successfully",
        "elapsed_time",
        String.format(
            Locale.ROOT, "%.2f sec", (work.drawing().age() - work.drawing().waited()) / NANOS),
        "output",
        Base64.getEncoder().encodeToString(made.files().get(0)),
        "save_to_disk",
        false);
  }
}
