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
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

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

  private static final long serialVersionUID = 1L;
  private static final int SERVER_FAULTS = 500;
  private static final int LONGEST = 1000;

  /** Folders of the server's files, which clients need not know; their names say enough. */
  private static final Pattern FOLDERS =
      Pattern.compile(
          "(?<![\\w/.])(?:\\.{1,2}|~|[A-Za-z]:)?[/\\\\](?:[^/\\\\:;,\"']+[/\\\\])+"
              + "|(?:[^\\s/]{1,100}/)+(?=[\\w.-]+\\.(?:json|safetensors|gguf|txt|model)\\b)");

  private final int status;
  private final @Nullable String code;
  private final @Nullable String param;

  Refusal(int status, String sentence, @Nullable String code, @Nullable String param) {
    super(brief(sentence), null, false, false);
    this.status = status;
    this.code = code;
    this.param = param;
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

  /** What a client is told of {@code failure}. */
  static Refusal of(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof Refusal refusal) {
      return refusal;
    }
    String sentence = FOLDERS.matcher(brief(String.valueOf(cause.getMessage()))).replaceAll("");
    if (cause instanceof IllegalArgumentException || cause instanceof ModelException) {
      return badRequest(sentence);
    } else if (cause instanceof QueueFullException) {
      return new Refusal(TOO_MANY, sentence, "queue_full");
    } else if (cause instanceof CancelledException) {
      return new Refusal(UNAVAILABLE, sentence, "cancelled");
    } else if (cause instanceof MemoryException) {
      return new Refusal(UNAVAILABLE, sentence.lines().findFirst().orElse(""), "out_of_memory");
    } else if (cause instanceof RankException
        || cause instanceof CommunicationException
        || cause instanceof ClosedException) {
      return new Refusal(UNAVAILABLE, sentence, "unavailable");
    }
    return new Refusal(
        INTERNAL,
        "the request failed: " + cause.getClass().getSimpleName() + ": " + sentence,
        null);
  }

  /** The same about a field of the request, unless it is about one already. */
  Refusal about(@Nullable String field) {
    return param == null ? new Refusal(status, String.valueOf(getMessage()), code, field) : this;
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
