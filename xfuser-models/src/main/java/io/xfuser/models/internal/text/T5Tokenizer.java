package io.xfuser.models.internal.text;

import com.fasterxml.jackson.databind.JsonNode;
import io.xfuser.failure.ModelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The tokenizer of T5 and mT5 models: transformers' {@code T5Tokenizer}, {@code MT5Tokenizer} and
 * {@code T5TokenizerFast}. A text is followed by {@code </s>}.
 *
 * <p>Safe for use by several threads.
 */
public final class T5Tokenizer extends SubwordTokenizer {
  /** T5's special tokens; its sentinels come to them. */
  static final SpecialTokens SPECIAL =
      new SpecialTokens(
          Map.of("eos", "</s>", "unk", "<unk>", "pad", "<pad>"), List.of(), List.of("eos"));

  /** The vocabulary. */
  static final List<String> FILES = List.of("spiece.model");

  private T5Tokenizer(Path directory, JsonNode settings, boolean fast) {
    super(new Definition(directory, settings, SPECIAL), () -> subwords(directory, settings, fast));
  }

  /**
   * Opens the {@code tokenizer} directory of a diffusers pipeline: {@code T5Tokenizer} for one with
   * {@code spiece.model}, {@code T5TokenizerFast} for one with {@code tokenizer.json} only.
   *
   * @throws ModelException if it has neither of the two files, or one cannot be used
   */
  public static T5Tokenizer open(Path directory) {
    return open(directory, false);
  }

  /**
   * Opens {@code directory}.
   *
   * @param fast {@code T5TokenizerFast}: as {@code tokenizer.json} describes it; where there is
   *     none, or the settings have {@code add_prefix_space}, as transformers converts {@code
   *     spiece.model}
   * @throws ModelException if it has neither of the two files, or one cannot be used
   */
  public static T5Tokenizer open(Path directory, boolean fast) {
    return new T5Tokenizer(directory, TokenizerFiles.settings(directory), fast);
  }

  private static Subwords subwords(Path directory, JsonNode settings, boolean fast) {
    Path pieces = directory.resolve("spiece.model");
    Path json = directory.resolve("tokenizer.json");
    boolean described = Files.exists(json);
    TokenizerFiles.requireVocabulary(directory, FILES);
    if (!Files.exists(pieces)) {
      return TokenizerJsonSubwords.open(json);
    }
    if (!fast) {
      return SentencePieceSubwords.open(pieces, settings);
    }
    return described && !settings.hasNonNull("add_prefix_space")
        ? TokenizerJsonSubwords.open(json)
        : TokenizerJsonSubwords.of(FastDescriptions.unigram(pieces, settings), pieces);
  }

  /** Opens it for T5 and mT5. */
  public static final class Provider extends TokenizerClass {
    public Provider() {
      super(
          Set.of("T5Tokenizer", "MT5Tokenizer"),
          Set.of("T5EncoderModel", "MT5EncoderModel", "UMT5EncoderModel"),
          FILES,
          T5Tokenizer::open);
    }
  }
}
