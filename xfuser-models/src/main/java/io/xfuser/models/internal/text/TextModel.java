package io.xfuser.models.internal.text;

/** A text encoder's weights. Safe for use by several threads. */
public interface TextModel extends AutoCloseable {
  /** Bytes of all parameters, mapped or copied. */
  long parameterBytes();

  @Override
  void close();
}
