package io.xfuser.transformer;

/** Told how far a long computation is, layer by layer, on the thread that computes. */
@FunctionalInterface
public interface LayerListener {
  /** Listens to nothing. */
  LayerListener NONE = (done, total) -> {};

  /**
   * So many layers are computed.
   *
   * @throws RuntimeException if nobody wants the rest; the computation lets it through
   */
  void computed(int done, int total);
}
