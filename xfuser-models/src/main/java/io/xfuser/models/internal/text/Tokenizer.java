package io.xfuser.models.internal.text;

import io.xfuser.failure.ModelException;
import java.util.List;
import java.util.OptionalInt;

/**
 * Turns texts into the token ids that a text encoder was trained on, with the ids of transformers'
 * tokenizer of the same class. {@link Tokenizers} opens them.
 *
 * <p>Safe for use by several threads.
 */
public interface Tokenizer extends AutoCloseable {
  /**
   * The ids of each text with the tokens that mark its start and its end, padded to {@code
   * maxLength} on the right; of a longer text the first tokens and those marks: transformers'
   * {@code padding="max_length", truncation=True}.
   *
   * @throws ModelException if {@code maxLength} has no room for the marks
   */
  TokenIds encode(List<String> texts, int maxLength);

  /** Whether its settings ask for padding on the left, for those who look at it. */
  default boolean padsLeft() {
    return false;
  }

  /**
   * The setting {@code model_max_length}, to which some pipelines pad; empty if there is none, or
   * no text is that long.
   */
  OptionalInt modelMaxLength();

  @Override
  void close();
}
