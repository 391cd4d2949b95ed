package io.xfuser.models.internal.text;

/** Cuts one text into token ids, without the end of the sequence. Safe for several threads. */
interface Subwords extends AutoCloseable {
  /** The ids of {@code text}'s tokens. */
  long[] ids(String text);

  /** The id of a special token such as {@code </s>}. */
  long idOf(String specialToken);

  /** Whether {@code </s>} follows a text that ends with {@code </s>} already. */
  boolean repeatsEnd();

  @Override
  void close();
}
