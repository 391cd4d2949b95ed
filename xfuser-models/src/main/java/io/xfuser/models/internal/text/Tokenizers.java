package io.xfuser.models.internal.text;

import io.xfuser.failure.ModelException;
import java.nio.file.Path;
import java.util.List;

/** The tokenizers by the names of transformers' classes. */
public final class Tokenizers {
  private static final String FAST = "Fast";
  private static final String CLIP = "CLIPTokenizer";
  private static final String BERT = "BertTokenizer";

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
   * @throws ModelException if the class is another, or a file is missing or cannot be used
   */
  public static Tokenizer open(Path directory, String className) {
    boolean fast = className.endsWith(FAST);
    return switch (kind(className)) {
      case CLIP -> ClipTokenizer.open(directory, fast);
      case BERT -> BertTokenizer.open(directory, fast);
      case "T5Tokenizer", "MT5Tokenizer" -> T5Tokenizer.open(directory, fast);
      default -> throw unknown(directory, className);
    };
  }

  /**
   * Makes sure that the files of the tokenizer in {@code directory} are there and that its settings
   * are supported, without reading a vocabulary.
   *
   * @throws ModelException as when it is opened
   */
  static void check(Path directory, String className) {
    List<String> files =
        switch (kind(className)) {
          case CLIP -> ClipTokenizer.FILES;
          case BERT -> BertTokenizer.FILES;
          case "T5Tokenizer", "MT5Tokenizer" -> T5Tokenizer.FILES;
          default -> throw unknown(directory, className);
        };
    TokenizerFiles.requireVocabulary(directory, files);
    SubwordTokenizer.checkSides(directory, TokenizerFiles.settings(directory));
  }

  private static String kind(String className) {
    return className.endsWith(FAST)
        ? className.substring(0, className.length() - FAST.length())
        : className;
  }

  private static ModelException unknown(Path directory, String className) {
    return new ModelException(
        "%s: the tokenizer class %s is not supported, only CLIPTokenizer, BertTokenizer,"
                .formatted(directory, className)
            + " T5Tokenizer and MT5Tokenizer, each with Fast or without");
  }
}
