package io.xfuser.failure;

/**
 * The ranks were asked for different things, or one of them refuses what it was asked for. All
 * ranks throw it with the same sentence, which names what differs; nothing was computed, and the
 * world can be used for the next request.
 */
public final class MismatchException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With the sentence to show. */
  public MismatchException(String message) {
    super(message);
  }
}
