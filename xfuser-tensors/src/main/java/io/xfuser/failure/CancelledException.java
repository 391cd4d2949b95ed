package io.xfuser.failure;

/** A request was cancelled, on one of its ranks or by its caller; the next one works. */
public final class CancelledException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With the reason. */
  public CancelledException(String message) {
    super(message);
  }
}
