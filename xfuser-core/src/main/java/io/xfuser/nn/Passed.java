package io.xfuser.nn;

/** Told how far a long computation is, layer by layer, on the thread that computes. */
@FunctionalInterface
public interface Passed {
  /** Tells nobody. */
  Passed UNSEEN = (done, total) -> {};

  /**
   * So many layers are computed.
   *
   * @throws RuntimeException if nobody wants the rest; the computation lets it through
   */
  void layers(int done, int total);
}
