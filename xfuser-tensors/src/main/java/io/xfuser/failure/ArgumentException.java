package io.xfuser.failure;

/** A setting that cannot be honoured; the message is one sentence with the numbers. */
public final class ArgumentException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /** With the sentence to show. */
  public ArgumentException(String message) {
    super(message);
  }

  /** With the sentence to show and the reason. */
  public ArgumentException(String message, Throwable cause) {
    super(message, cause);
  }
}
