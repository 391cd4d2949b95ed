package io.xfuser.progress;

/** Told how far something is: opening, downloading, or a request. */
@FunctionalInterface
public interface ProgressListener {
  /** Listens to nothing. */
  ProgressListener NONE = progress -> true;

  /**
   * Called when a phase begins, as it goes on, and when it ends.
   *
   * @return whether to go on; {@code false} cancels what is told of, which then throws {@link
   *     io.xfuser.failure.CancelledException}
   */
  boolean progressed(Progress progress);
}
