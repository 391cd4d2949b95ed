package io.xfuser.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A request of HTTP: its body, and answers in the forms that clients know. */
record Call(RoutingContext context) {
  static final JsonMapper JSON = new JsonMapper();

  private static final long BODY_MILLIS = 60_000;
  private static final String FACTS = "xfuser";

  /** The fact of how many seconds to wait before asking again. */
  static final String RETRY_AFTER = "retry_after";

  HttpServerRequest request() {
    return context.request();
  }

  HttpServerResponse response() {
    return context.response();
  }

  /** A header's value; null where there is none. */
  @Nullable String header(CharSequence name) {
    return request().getHeader(name);
  }

  /**
   * The whole body.
   *
   * @return fails by a {@link Refusal} if it has more than {@code most} bytes, or comes too slowly
   */
  Future<Buffer> body(int most) {
    Promise<Buffer> body = Promise.promise();
    String length = header(HttpHeaders.CONTENT_LENGTH);
    if (length != null && (length.length() > 18 || Long.parseLong(length) > most)) {
      tooLarge(body, most);
      return body.future();
    }
    Buffer bytes = Buffer.buffer();
    long timer =
        context
            .vertx()
            .setTimer(
                BODY_MILLIS,
                id -> {
                  closeAfterAnswer();
                  body.tryFail(
                      new Refusal(Refusal.TIMEOUT, "the body did not come within a minute", null));
                });
    request()
        .handler(
            part -> {
              if (body.future().isComplete()) {
                return;
              }
              if (bytes.length() + part.length() > most) {
                tooLarge(body, most);
              } else {
                bytes.appendBuffer(part);
              }
            })
        .exceptionHandler(
            e -> body.tryFail(Refusal.badRequest("the body did not come: " + e.getMessage())))
        .endHandler(end -> body.tryComplete(bytes));
    return body.future().onComplete(done -> context.vertx().cancelTimer(timer));
  }

  private void tooLarge(Promise<Buffer> body, int most) {
    closeAfterAnswer(); // what follows is not read
    body.tryFail(
        new Refusal(
            Refusal.TOO_LARGE,
            "a body of more than " + most + " bytes is not read",
            "body_too_large"));
  }

  private void closeAfterAnswer() {
    response().putHeader(HttpHeaders.CONNECTION, "close");
  }

  /** Answers with {@code value} as JSON. */
  void json(int status, Object value) {
    if (response().ended() || response().closed()) {
      return;
    }
    response()
        .setStatusCode(status)
        .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
        .end(Buffer.buffer(bytes(value)));
  }

  static byte[] bytes(Object value) {
    try {
      return JSON.writeValueAsBytes(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // texts, numbers, lists and maps
    }
  }

  /** Answers with what went wrong. */
  void refuse(Throwable failure) {
    Refusal refusal = Refusal.of(failure);
    fact("error", refusal.reason());
    if (response().headWritten()) {
      return;
    }
    if (refusal.status() == Refusal.TOO_MANY || refusal.status() == Refusal.UNAVAILABLE) {
      Object seconds = facts().getOrDefault(RETRY_AFTER, 1L);
      response().putHeader(HttpHeaders.RETRY_AFTER, String.valueOf(seconds));
    } else {
      response().putHeader("x-should-retry", "false"); // OpenAI's clients ask again otherwise
    }
    json(refusal.status(), refusal.body());
  }

  /** Something for the access log. */
  void fact(String name, @Nullable Object value) {
    if (value != null) {
      facts().put(name, value);
    }
  }

  /** What was noted for the access log. */
  Map<String, Object> facts() {
    Map<String, Object> facts = context.get(FACTS);
    if (facts == null) {
      facts = new java.util.concurrent.ConcurrentHashMap<>();
      context.put(FACTS, facts);
    }
    return facts;
  }
}
