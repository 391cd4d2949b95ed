package io.xfuser.models.text;

import java.nio.file.Path;

/** The tokenizers by the names of transformers' classes. */
public final class Tokenizers {
  private Tokenizers() {}

  /**
   * Opens the tokenizer in {@code directory}.
   *
   * <p>A class with "Fast" in its name reads {@code tokenizer.json} where there is one, and gives
   * ids as that describes; the others read the vocabulary's own files and treat text as
   * transformers' Python code does. The two differ in details of Unicode and spaces. Where the
   * files of the class are missing, those of its sibling serve.
   *
   * @param className the class that {@code model_index.json} names: {@code CLIPTokenizer}, {@code
   *     BertTokenizer}, {@code T5Tokenizer}, {@code MT5Tokenizer}, or one of these with "Fast"
   * @throws IllegalArgumentException if the class is another, or a file is missing or cannot be
   *     used
   */
  public static Tokenizer open(Path directory, String className) {
    boolean fast = className.endsWith("Fast");
    return switch (fast ? className.substring(0, className.length() - 4) : className) {
      case "CLIPTokenizer" -> ClipTokenizer.open(directory, fast);
      case "BertTokenizer" -> BertTokenizer.open(directory, fast);
      case "T5Tokenizer", "MT5Tokenizer" -> T5Tokenizer.open(directory, fast);
      default ->
          throw new IllegalArgumentException(
              "%s: the tokenizer class %s is not supported, only CLIPTokenizer, BertTokenizer,"
                      .formatted(directory, className)
                  + " T5Tokenizer and MT5Tokenizer, each with Fast or without");
    };
  }
}
