package io.xfuser.models.internal.text;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.registry.Registry;
import java.nio.file.Path;
import java.util.Set;

/** The tokenizers by the names of transformers' classes. */
public final class Tokenizers {
  private Tokenizers() {}

  /** The classes of those whose ids text encoders of class {@code encoder} take. */
  public static Set<String> of(String encoder) {
    return all().classNames(provider -> provider.encoders().contains(encoder));
  }

  /**
   * Opens the tokenizer in {@code directory}.
   *
   * <p>A class with "Fast" in its name reads {@code tokenizer.json} where there is one, and gives
   * ids as that describes; the others read the vocabulary's own files and treat text as
   * transformers' Python code does. The two differ in details of Unicode and spaces. Where the
   * files of the class are missing, those of its sibling serve.
   *
   * @param className the class that {@code model_index.json} names
   * @throws ModelException if the class is not known, or a file is missing or cannot be used
   */
  public static Tokenizer open(Path directory, String className) {
    return provider(directory, className).open(directory, className);
  }

  /**
   * Makes sure that the files of the tokenizer in {@code directory} are there and that its settings
   * are supported, without reading a vocabulary.
   *
   * @throws ModelException as when it is opened
   */
  static void check(Path directory, String className) {
    provider(directory, className).check(directory, className);
  }

  private static TokenizerProvider provider(Path directory, String className) {
    return all().require(className, directory + ": the tokenizer's class");
  }

  private static Registry<TokenizerProvider> all() {
    return Registry.of(TokenizerProvider.class, TokenizerProvider::classNames);
  }
}
