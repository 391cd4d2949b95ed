package io.xfuser.server;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Routes for whoever runs the server, the list of models, kept files, and the page. */
final class OperationsRoutes {
  private static final int OK = 200;
  private static final Map<String, String> PAGE_TYPES =
      Map.of(
          "html", "text/html; charset=utf-8",
          "js", "text/javascript; charset=utf-8",
          "css", "text/css; charset=utf-8",
          "svg", "image/svg+xml");

  /** The page runs its own scripts, shows pictures that it made, and asks this server. */
  private static final String PAGE_MAY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
          + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private final Served served;
  private final PrometheusMeterRegistry registry;
  private final long created = System.currentTimeMillis() / 1000;

  OperationsRoutes(Served served, PrometheusMeterRegistry registry) {
    this.served = served;
    this.registry = registry;
  }

  void on(Router router) {
    router.get("/health").handler(c -> new Call(c).json(OK, Map.of("status", "ok")));
    router.get("/ready").handler(c -> ready(new Call(c)));
    router
        .get("/metrics")
        .handler(
            c ->
                c.response()
                    .putHeader(HttpHeaders.CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")
                    .end(registry.scrape()));
    router.get("/v1/models").handler(c -> models(new Call(c)));
    router.get("/v1/models/:model").handler(c -> model(new Call(c)));
    router.get("/v1/files/:file/content").handler(c -> file(new Call(c)));
    Map<String, Object> description = OpenApi.of(served);
    router.get("/openapi.json").handler(c -> new Call(c).json(OK, description));
    router.get("/").handler(c -> page(new Call(c), "index.html"));
    router
        .get("/page/:file")
        .handler(c -> page(new Call(c), Objects.requireNonNull(c.pathParam("file"))));
  }

  private void ready(Call call) {
    String trouble = served.state().isEnding() ? "the server is about to end" : null;
    Duration stall =
        Duration.ofMillis((long) (served.settings().value(ServerSettings.STALL_SECONDS) * 1000));
    Map<String, Object> models = new LinkedHashMap<>();
    for (Model model : served.all()) {
      String own = model.trouble(stall);
      models.put(model.name(), own == null ? "ready" : own);
      trouble = trouble == null ? own : trouble;
    }
    call.json(
        trouble == null ? OK : Refusal.UNAVAILABLE,
        trouble == null
            ? Map.of("status", "ready", "models", models)
            : Map.of("status", "not ready", "reason", trouble, "models", models));
  }

  private void models(Call call) {
    List<Map<String, Object>> data = served.all().stream().map(this::told).toList();
    call.json(OK, Map.of("object", "list", "data", data));
  }

  private Map<String, Object> told(Model model) {
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("id", model.name());
    told.put("object", "model");
    told.put("created", created);
    told.put("owned_by", "xfuser");
    told.put("strategy", model.backend().strategy());
    told.put("defaults", model.defaults());
    return told;
  }

  private void model(Call call) {
    String name = String.valueOf(call.context().pathParam("model"));
    Model model = served.models().get(name);
    if (model == null) {
      call.refuse(
          new Refusal(
              Refusal.NOT_FOUND,
              "there is no model %s; there are %s".formatted(name, served.models().keySet()),
              "model_not_found",
              "model"));
    } else {
      call.json(OK, told(model));
    }
  }

  private void file(Call call) {
    FileStore.Kept kept = served.files().get(String.valueOf(call.context().pathParam("file")));
    if (kept == null) {
      call.refuse(
          new Refusal(Refusal.NOT_FOUND, "there is no such file, or it is forgotten", "not_found"));
    } else {
      call.response()
          .putHeader(HttpHeaders.CONTENT_TYPE, kept.mediaType())
          .putHeader(HttpHeaders.CACHE_CONTROL, "private")
          .end(kept.bytes());
    }
  }

  /** A file of the web page. */
  private void page(Call call, String name) {
    String type = PAGE_TYPES.get(name.substring(name.lastIndexOf('.') + 1));
    byte[] file = type == null || !name.matches("[\\w-]+\\.\\w+") ? null : resource(name);
    if (file == null) {
      call.refuse(new Refusal(Refusal.NOT_FOUND, "there is nothing here", "not_found"));
    } else {
      call.response()
          .putHeader(HttpHeaders.CONTENT_TYPE, type)
          .putHeader("x-content-type-options", "nosniff")
          .putHeader("content-security-policy", PAGE_MAY)
          .putHeader("referrer-policy", "no-referrer")
          .end(Buffer.buffer(file));
    }
  }

  private static byte @org.jspecify.annotations.Nullable [] resource(String name) {
    try (InputStream in = OperationsRoutes.class.getResourceAsStream("page/" + name)) {
      return in == null ? null : in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
