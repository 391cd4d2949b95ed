package io.xfuser.server;

import io.vertx.ext.web.RoutingContext;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A line of JSON for each answer, without prompts and keys; and its count. */
final class AccessLog {
  private static final Logger LOG = LoggerFactory.getLogger("io.xfuser.server.access");
  private static final int NANOS_OF_MILLI = 1_000_000;

  private final Metrics metrics;
  private final Served.State state;

  AccessLog(Metrics metrics, Served.State state) {
    this.metrics = metrics;
    this.state = state;
  }

  void on(RoutingContext context) {
    long start = System.nanoTime();
    state.came();
    context.addEndHandler(
        end -> {
          state.answered();
          tell(context, start);
        });
    context.next();
  }

  private void tell(RoutingContext context, long start) {
    long nanos = System.nanoTime() - start;
    int status = // as nginx counts those who left
        context.response().ended() ? context.response().getStatusCode() : 499;
    var route = context.currentRoute();
    String path = route == null || route.getPath() == null ? "other" : route.getPath();
    metrics.answered(path, status, nanos);
    if (LOG.isInfoEnabled()) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("time", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
      line.put("client", String.valueOf(context.request().remoteAddress()));
      line.put("method", context.request().method().name());
      line.put("path", context.request().path());
      line.put("status", status);
      line.put("ms", nanos / NANOS_OF_MILLI);
      line.put("bytes", context.response().bytesWritten());
      line.putAll(new Call(context).facts());
      LOG.info("{}", new String(Call.bytes(line), StandardCharsets.UTF_8));
    }
  }
}
