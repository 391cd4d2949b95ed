package io.xfuser.failure;

/** As many requests wait as may; this one was not taken, and may be tried again later. */
public final class QueueFullException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int length;
  private final int bound;

  /**
   * With both in its sentence.
   *
   * @param length requests that wait
   * @param bound requests that may wait
   */
  public QueueFullException(int length, int bound) {
    super(length + " requests wait, and no more than " + bound + " may");
    this.length = length;
    this.bound = bound;
  }

  /** Requests that waited. */
  public int length() {
    return length;
  }

  /** Requests that may wait. */
  public int bound() {
    return bound;
  }
}
