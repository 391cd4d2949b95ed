package io.xfuser.server;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The server's routes. */
final class Routes {
  private static final int NOT_ALLOWED = 405;

  private Routes() {}

  /** Those of all parts, and answers in OpenAI's form where there is none. */
  static Router of(Served served, Keys keys, Metrics metrics, PrometheusMeterRegistry registry) {
    Router router = Router.router(served.vertx());
    AccessLog log = new AccessLog(metrics, served.state());
    router.route().handler(log::on);
    String url = served.settings().get(ServerSettings.PUBLIC_URL);
    router.route().handler(new Origins(keys.required(), url)::check);
    router.route().handler(keys::check);
    new ImageRoutes(served).on(router);
    new VideoRoutes(served).on(router);
    new GenerateRoute(served).on(router);
    new OperationsRoutes(served, registry).on(router);
    router.errorHandler(
        Refusal.NOT_FOUND, c -> refuse(c, new Refusal(Refusal.NOT_FOUND, nothing(c), "not_found")));
    router.errorHandler(
        NOT_ALLOWED,
        c -> {
          c.response().putHeader(HttpHeaders.ALLOW, allowed(router, c.request().path()));
          refuse(c, new Refusal(NOT_ALLOWED, nothing(c), "method_not_allowed"));
        });
    router.errorHandler(400, c -> refuse(c, Refusal.badRequest("the address is no address")));
    router.errorHandler(500, c -> refuse(c, c.failure()));
    return router;
  }

  /** The methods that there are at {@code path}. */
  private static String allowed(Router router, String path) {
    return router.getRoutes().stream()
        .filter(
            route ->
                route.getPath() != null
                    && path.matches(route.getPath().replaceAll(":\\w+", "[^/]+")))
        .flatMap(route -> route.methods().stream())
        .map(HttpMethod::name)
        .distinct()
        .sorted()
        .collect(Collectors.joining(", "));
  }

  private static String nothing(RoutingContext context) {
    return "there is nothing to %s at %s; /openapi.json tells what there is"
        .formatted(context.request().method(), context.request().path());
  }

  private static void refuse(RoutingContext context, @Nullable Throwable failure) {
    new Call(context).refuse(failure == null ? Refusal.badRequest("no reason is known") : failure);
  }
}
