package io.xfuser.hub;

import io.xfuser.config.ModelName;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.HubException;
import java.io.IOException;

/** What a status other than success means for the one who asked for the model. */
record Refusal(HubSettings settings, ModelName model, HubClient.Answer answer) {
  private static final int UNAUTHORIZED = 401;
  private static final int FORBIDDEN = 403;
  private static final int NOT_FOUND = 404;
  private static final int TIMEOUT = 408;
  private static final int RANGE = 416;
  private static final int TOO_MANY = 429;
  private static final int SERVER_ERRORS = 500;

  /**
   * Returns an IOException if another attempt may succeed.
   *
   * @throws HubException if the hub cannot answer
   * @throws IllegalArgumentException if it does not have the model, or not for this token
   */
  IOException of(String file) {
    int status = answer.status();
    boolean temporary = status >= SERVER_ERRORS || status == TOO_MANY || status == TIMEOUT;
    // the addresses of other servers are signed for a short time: the next one is fresh
    if (temporary || status == RANGE || !answer.fromHub()) {
      return new IOException(
          "%s answers %s with status %d"
              .formatted(answer.response().uri().getHost(), file, status));
    }
    String code = answer.headers().firstValue("X-Error-Code").orElse("");
    if (status == NOT_FOUND) {
      throw new ArgumentException(missing(code, file));
    }
    if (status == FORBIDDEN || (status == UNAUTHORIZED && code.equals("GatedRepo"))) {
      throw new ArgumentException(gated());
    }
    if (status == UNAUTHORIZED) {
      throw new ArgumentException(hidden());
    }
    throw new HubException(
        "%s answers %s of %s with status %d".formatted(settings.endpoint(), file, model, status));
  }

  private String gated() {
    String page = settings.endpoint() + "/" + model.repository();
    return settings.token() == null
        ? "%s is gated: accept its conditions at %s and set HF_TOKEN (status %d)"
            .formatted(model, page, answer.status())
        : "%s is gated, and the token's account has no access: accept its conditions at %s (status %d)"
            .formatted(model, page, answer.status());
  }

  private String hidden() {
    return settings.token() == null
        ? "%s has no public model %s: check the name, or set HF_TOKEN if it is private (status %d)"
            .formatted(settings.endpoint(), model.repository(), answer.status())
        : "%s has no model %s for this token: check the name and HF_TOKEN (status %d)"
            .formatted(settings.endpoint(), model.repository(), answer.status());
  }

  private String missing(String code, String file) {
    if (code.equals("RevisionNotFound")) {
      return "%s has no revision %s".formatted(model.repository(), model.revision());
    }
    if (code.equals("EntryNotFound")) {
      return "%s lists %s but does not have it".formatted(model, file);
    }
    return "there is neither a directory %s nor a model of that name at %s"
        .formatted(model, settings.endpoint());
  }
}
