package io.xfuser.failure;

/**
 * What this machine does not let a program do: libraries that cannot be unpacked or loaded, files
 * that cannot be written. It may succeed another time; the message is one sentence.
 */
public final class PlatformException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With the sentence to show. */
  public PlatformException(String message) {
    super(message);
  }

  /** With the sentence to show and the reason, which the sentence has already. */
  public PlatformException(String message, Throwable cause) {
    super(message, cause);
  }
}
