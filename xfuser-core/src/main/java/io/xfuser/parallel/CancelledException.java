package io.xfuser.parallel;

/** The request was cancelled on one of the ranks; the world can be used for the next one. */
public final class CancelledException extends CommunicationException {
  private static final long serialVersionUID = 1L;

  /** With the reason. */
  public CancelledException(String message) {
    super(message);
  }
}
