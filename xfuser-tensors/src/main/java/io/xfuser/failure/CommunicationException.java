package io.xfuser.failure;

/**
 * Ranks cannot reach one another: they did not meet, one does not answer in time or has left, or a
 * library for messages fails. The message names the rank where it is about one.
 */
public final class CommunicationException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With the sentence to show. */
  public CommunicationException(String message) {
    super(message);
  }

  /** With the sentence to show and the reason. */
  public CommunicationException(String message, Throwable cause) {
    super(message, cause);
  }
}
