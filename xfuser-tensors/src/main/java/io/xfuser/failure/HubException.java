package io.xfuser.failure;

import io.xfuser.internal.failure.Reason;

/** A download that failed, though it may succeed another time; the message is one sentence. */
public final class HubException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With the sentence to show. */
  public HubException(String message) {
    super(message);
  }

  /** With the sentence to show and the reason. */
  public HubException(String message, Throwable cause) {
    super(message, cause);
  }

  /** What a failure says, or at least its kind. */
  public static String reason(Throwable failure) {
    String kind = failure.getClass().getSimpleName();
    String reason = Reason.of(failure);
    return reason.equals(kind) ? kind : kind + ": " + reason;
  }
}
