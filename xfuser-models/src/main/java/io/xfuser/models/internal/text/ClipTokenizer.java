package io.xfuser.models.internal.text;

import com.fasterxml.jackson.databind.JsonNode;
import io.xfuser.failure.ModelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The tokenizer of CLIP's text encoders: transformers' {@code CLIPTokenizer} and {@code
 * CLIPTokenizerFast}. A text stands between {@code <|startoftext|>} and {@code <|endoftext|>}.
 *
 * <p>Text is cleaned as by {@code CLIPTokenizer} with ftfy installed, except that wrongly decoded
 * text is not repaired.
 *
 * <p>Safe for use by several threads.
 */
public final class ClipTokenizer extends SubwordTokenizer {
  /** The token before a text. */
  static final String START = "<|startoftext|>";

  /** The token after it, which by default also pads and stands for what is unknown. */
  static final String END = "<|endoftext|>";

  /** CLIP's special tokens. */
  static final SpecialTokens SPECIAL =
      new SpecialTokens(
          Map.of("bos", START, "eos", END, "unk", END, "pad", END), List.of("bos"), List.of("eos"));

  /** The vocabulary. */
  static final List<String> FILES = List.of("vocab.json", "merges.txt");

  private ClipTokenizer(Path directory, JsonNode settings, boolean fast) {
    super(new Definition(directory, settings, SPECIAL), () -> subwords(directory, settings, fast));
  }

  /**
   * Opens {@code vocab.json} and {@code merges.txt}, or {@code tokenizer.json}.
   *
   * @param fast whether {@code tokenizer.json} is preferred: {@code CLIPTokenizerFast}
   * @throws ModelException if a file is missing or cannot be used
   */
  public static ClipTokenizer open(Path directory, boolean fast) {
    return new ClipTokenizer(directory, TokenizerFiles.settings(directory), fast);
  }

  private static Subwords subwords(Path directory, JsonNode settings, boolean fast) {
    Path vocabulary = directory.resolve("vocab.json");
    Path merges = directory.resolve("merges.txt");
    Path json = directory.resolve("tokenizer.json");
    boolean complete = Files.exists(vocabulary) && Files.exists(merges);
    if (Files.exists(json) && (fast || !complete)) {
      return TokenizerJsonSubwords.open(json);
    }
    TokenizerFiles.requireVocabulary(directory, FILES);
    ClipVocabulary words = ClipVocabulary.read(vocabulary, merges);
    TokenizerFiles.require(words.ids(), SPECIAL.token(settings, "unk"), vocabulary);
    return fast
        ? TokenizerJsonSubwords.of(FastDescriptions.clip(words, settings), vocabulary)
        : new ClipSubwords(words, settings);
  }

  /** Opens it for both of CLIP's text encoders. */
  public static final class Provider extends TokenizerClass {
    public Provider() {
      super(
          Set.of("CLIPTokenizer"),
          Set.of("CLIPTextModel", "CLIPTextModelWithProjection"),
          FILES,
          ClipTokenizer::open);
    }
  }
}
