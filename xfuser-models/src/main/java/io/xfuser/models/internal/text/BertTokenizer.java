package io.xfuser.models.internal.text;

import com.fasterxml.jackson.databind.JsonNode;
import io.xfuser.failure.ModelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The tokenizer of BERT: transformers' {@code BertTokenizer} and {@code BertTokenizerFast}. A text
 * stands between {@code [CLS]} and {@code [SEP]}.
 *
 * <p>Safe for use by several threads.
 */
public final class BertTokenizer extends SubwordTokenizer {
  /** BERT's special tokens. */
  static final SpecialTokens SPECIAL =
      new SpecialTokens(
          Map.of("unk", "[UNK]", "sep", "[SEP]", "pad", "[PAD]", "cls", "[CLS]", "mask", "[MASK]"),
          List.of("cls"),
          List.of("sep"));

  /** The vocabulary. */
  static final List<String> FILES = List.of("vocab.txt");

  private BertTokenizer(Path directory, JsonNode settings, boolean fast) {
    super(new Definition(directory, settings, SPECIAL), () -> subwords(directory, settings, fast));
  }

  /**
   * Opens {@code vocab.txt}, or {@code tokenizer.json}.
   *
   * @param fast whether {@code tokenizer.json} is preferred: {@code BertTokenizerFast}
   * @throws ModelException if neither exists, or one cannot be used
   */
  public static BertTokenizer open(Path directory, boolean fast) {
    return new BertTokenizer(directory, TokenizerFiles.settings(directory), fast);
  }

  private static Subwords subwords(Path directory, JsonNode settings, boolean fast) {
    Path vocabulary = directory.resolve("vocab.txt");
    Path json = directory.resolve("tokenizer.json");
    if (Files.exists(json) && (fast || !Files.exists(vocabulary))) {
      return TokenizerJsonSubwords.of(FastDescriptions.bert(json, settings), json);
    }
    TokenizerFiles.requireVocabulary(directory, FILES);
    Map<String, Long> words = TokenizerFiles.lines(vocabulary);
    TokenizerFiles.require(words, SPECIAL.token(settings, "unk"), vocabulary);
    return fast
        ? TokenizerJsonSubwords.of(FastDescriptions.bert(words, settings), vocabulary)
        : new BertSubwords(words, settings, vocabulary);
  }

  /** Opens it for BERT. */
  public static final class Provider extends TokenizerClass {
    public Provider() {
      super(Set.of("BertTokenizer"), Set.of("BertModel"), FILES, BertTokenizer::open);
    }
  }
}
