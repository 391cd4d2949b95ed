package io.xfuser.weights;

/** Weights that cannot be used; the message is one sentence with the file and the tensor. */
public final class WeightsException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /** With the sentence to show. */
  public WeightsException(String message) {
    super(message);
  }
}
