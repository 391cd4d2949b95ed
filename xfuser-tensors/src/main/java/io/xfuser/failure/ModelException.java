package io.xfuser.failure;

/**
 * A model that cannot be read or is not supported; the message is one sentence with the file and,
 * where it is about one, the tensor or setting.
 */
public final class ModelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With the sentence to show. */
  public ModelException(String message) {
    super(message);
  }

  /** With the sentence to show and the reason. */
  public ModelException(String message, Throwable cause) {
    super(message, cause);
  }
}
