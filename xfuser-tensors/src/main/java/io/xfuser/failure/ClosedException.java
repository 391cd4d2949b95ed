package io.xfuser.failure;

/** What was called is closed: by its owner, or because a rank in another process was lost. */
public final class ClosedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With the sentence to show. */
  public ClosedException(String message) {
    super(message);
  }
}
