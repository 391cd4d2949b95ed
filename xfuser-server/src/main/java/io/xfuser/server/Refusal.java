package io.xfuser.server;

import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.MemoryException;
import io.xfuser.failure.ModelException;
import io.xfuser.failure.QueueFullException;
import io.xfuser.failure.RankException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a client is told in the place of what it asked for, in the form of OpenAI's errors. */
final class Refusal extends RuntimeException {
  static final int BAD_REQUEST = 400;
  static final int UNAUTHORIZED = 401;
  static final int NOT_FOUND = 404;
  static final int TIMEOUT = 408;
  static final int CONFLICT = 409;
  static final int TOO_LARGE = 413;
  static final int BAD_MEDIA = 415;
  static final int TOO_MANY = 429;
  static final int INTERNAL = 500;
  static final int UNAVAILABLE = 503;
  static final int TOO_LATE = 504;

  private static final Logger LOG = LoggerFactory.getLogger(ImageServer.class);
  private static final long serialVersionUID = 1L;
  private static final int SERVER_FAULTS = 500;
  private static final int LONGEST = 1000;

  /** What the paths of all systems have between their names. */
  private static final String SEPARATORS = "/\\";

  private final int status;
  private final @Nullable String code;
  private final @Nullable String param;
  private final String reason;

  private Refusal(
      int status, String sentence, @Nullable String code, @Nullable String param, String reason) {
    super(brief(sentence), null, false, false);
    this.status = status;
    this.code = code;
    this.param = param;
    this.reason = brief(reason);
  }

  Refusal(int status, String sentence, @Nullable String code, @Nullable String param) {
    this(status, sentence, code, param, sentence);
  }

  Refusal(int status, String sentence, @Nullable String code) {
    this(status, sentence, code, null);
  }

  /** What a client sent may be a part of it, as long as it likes. */
  private static String brief(String sentence) {
    return sentence.length() <= LONGEST ? sentence : sentence.substring(0, LONGEST) + " …";
  }

  /** What the client sent cannot be done. */
  static Refusal badRequest(String sentence) {
    return new Refusal(BAD_REQUEST, sentence, null);
  }

  /** The same, for one field. */
  static Refusal badField(String field, String sentence) {
    return new Refusal(BAD_REQUEST, sentence, null, field);
  }

  /** What failed, without what was wrapped around it on its way. */
  static Throwable cause(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  /** What a client is told of {@code failure}. */
  static Refusal of(Throwable failure) {
    Throwable cause = cause(failure);
    if (cause instanceof Refusal refusal) {
      return refusal;
    } else if (cause instanceof IllegalArgumentException) {
      return of(cause, BAD_REQUEST, null, "what is asked for cannot be drawn here");
    } else if (cause instanceof QueueFullException) {
      return of(cause, TOO_MANY, "queue_full", "too many requests wait");
    } else if (cause instanceof CancelledException) {
      return of(cause, UNAVAILABLE, "cancelled", "the request was cancelled");
    } else if (cause instanceof MemoryException) {
      return of(cause, UNAVAILABLE, "out_of_memory", "there is not enough memory to draw it");
    } else if (cause instanceof RankException
        || cause instanceof CommunicationException
        || cause instanceof ClosedException) {
      return of(cause, UNAVAILABLE, "unavailable", "the model cannot draw now");
    } else if (cause instanceof ModelException) {
      return of(cause, INTERNAL, "model_error", "files of the model cannot be used");
    }
    LOG.error("a request failed", cause); // where, an operator may want to know
    return secret(cause, INTERNAL, null, "the request failed");
  }

  /**
   * With the first line of what {@code cause} says, or, if it may name files of this machine, which
   * are not for clients, with {@code otherwise}. A sentence is told whole or not at all: whoever
   * cuts paths out of texts leaves pieces of them.
   */
  private static Refusal of(Throwable cause, int status, @Nullable String code, String otherwise) {
    String sentence = String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
    boolean told = !sentence.isBlank() && SEPARATORS.chars().allMatch(c -> sentence.indexOf(c) < 0);
    return told
        ? new Refusal(status, sentence, code, null, String.valueOf(cause.getMessage()))
        : secret(cause, status, code, otherwise);
  }

  private static Refusal secret(
      Throwable cause, int status, @Nullable String code, String sentence) {
    String reason = cause.getClass().getSimpleName() + ": " + cause.getMessage();
    return new Refusal(status, sentence + "; the server's log has the reason", code, null, reason);
  }

  /** The same about a field of the request, unless it is about one already. */
  Refusal about(@Nullable String field) {
    return param == null ? as(status, field) : this;
  }

  /** The same with another status, about a field or none. */
  Refusal as(int other, @Nullable String field) {
    return new Refusal(other, String.valueOf(getMessage()), code, field, reason);
  }

  /** All that is known of it, for the operator. */
  String reason() {
    return reason;
  }

  int status() {
    return status;
  }

  /** The body: {@code {"error": {message, type, param, code}}}. */
  Map<String, Object> body() {
    Map<String, @Nullable Object> error = new LinkedHashMap<>();
    error.put("message", getMessage());
    error.put("type", type());
    error.put("param", param);
    error.put("code", code);
    return Map.of("error", error);
  }

  private String type() {
    return switch (status) {
      case UNAUTHORIZED -> "authentication_error";
      case TOO_MANY -> "rate_limit_error";
      default -> status >= SERVER_FAULTS ? "server_error" : "invalid_request_error";
    };
  }
}
