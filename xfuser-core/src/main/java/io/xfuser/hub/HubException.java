package io.xfuser.hub;

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
  static String reason(Throwable failure) {
    String message = failure.getMessage();
    String kind = failure.getClass().getSimpleName();
    return message == null || message.isBlank() ? kind : kind + ": " + message;
  }
}
