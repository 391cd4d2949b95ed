package io.xfuser.models.internal.text;

import io.xfuser.failure.ModelException;
import java.nio.file.Path;
import java.util.Set;

/**
 * Opens the tokenizers of some of transformers' classes. Another one is added by a class with a
 * public constructor without parameters that implements this, named in {@code
 * META-INF/services/io.xfuser.models.internal.text.TokenizerProvider}.
 */
public interface TokenizerProvider {
  /** The classes, as {@code model_index.json} names them. */
  Set<String> classNames();

  /** The classes of the text encoders that take their ids. */
  Set<String> encoders();

  /**
   * Makes sure that the files in {@code directory} are there and that its settings are supported,
   * without reading a vocabulary.
   *
   * @throws ModelException as when it is opened
   */
  void check(Path directory, String className);

  /**
   * Opens a tokenizer.
   *
   * @param className one of {@link #classNames}
   * @throws ModelException if a file is missing or cannot be used
   */
  Tokenizer open(Path directory, String className);
}
