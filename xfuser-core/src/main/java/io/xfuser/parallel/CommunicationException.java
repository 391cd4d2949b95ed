package io.xfuser.parallel;

/** Ranks could not exchange what they had to; the message names the rank and what it was doing. */
public class CommunicationException extends RuntimeException {
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
