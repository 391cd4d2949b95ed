package io.xfuser.models.internal.text;

/** What reads pictures for a pipeline's text encoder, on one rank. */
interface PictureReader extends AutoCloseable {
  /** Bytes of the weights that are loaded here. */
  long parameterBytes();

  @Override
  void close();
}
