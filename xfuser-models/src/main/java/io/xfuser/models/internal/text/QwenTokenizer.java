package io.xfuser.models.internal.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.failure.ModelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The tokenizer of Qwen's language models, byte pairs of any text: transformers' {@code
 * Qwen2Tokenizer} and {@code Qwen2TokenizerFast}, which give the same ids. Nothing marks the start
 * or the end of a text. It encodes with padding on the right whatever its settings say, since most
 * of what is asked of its models does not look at padding.
 *
 * <p>Safe for use by several threads.
 */
public final class QwenTokenizer extends SubwordTokenizer {
  private static final String END = "<|endoftext|>";
  private static final String PADDING_SIDE = "padding_side";

  /** Qwen's special tokens. */
  static final SpecialTokens SPECIAL =
      new SpecialTokens(Map.of("eos", END, "unk", END, "pad", END), List.of(), List.of());

  /** The vocabulary. */
  static final List<String> FILES = List.of("vocab.json", "merges.txt");

  private final boolean padsLeft;

  private QwenTokenizer(Path directory, JsonNode settings, boolean padsLeft) {
    super(new Definition(directory, settings, SPECIAL), () -> subwords(directory, settings));
    this.padsLeft = padsLeft;
  }

  @Override
  public boolean padsLeft() {
    return padsLeft;
  }

  /**
   * Opens {@code tokenizer.json}, or {@code vocab.json} and {@code merges.txt}.
   *
   * @throws ModelException if a file is missing or cannot be used
   */
  public static QwenTokenizer open(Path directory) {
    boolean left =
        TokenizerFiles.settings(directory).path(PADDING_SIDE).asText("right").equals("left");
    return new QwenTokenizer(directory, settings(directory), left);
  }

  private static JsonNode settings(Path directory) {
    return ((ObjectNode) TokenizerFiles.settings(directory)).without(PADDING_SIDE);
  }

  private static Subwords subwords(Path directory, JsonNode settings) {
    Path json = directory.resolve("tokenizer.json");
    TokenizerFiles.requireVocabulary(directory, FILES);
    if (Files.exists(json)) {
      return TokenizerJsonSubwords.open(json);
    }
    Path vocabulary = directory.resolve("vocab.json");
    ClipVocabulary words =
        ClipVocabulary.read(vocabulary, directory.resolve("merges.txt"), Integer.MAX_VALUE);
    return TokenizerJsonSubwords.of(FastDescriptions.qwen(words, settings), vocabulary);
  }

  /** Opens it for Qwen's language models. */
  public static final class Provider implements TokenizerProvider {
    @Override
    public Set<String> classNames() {
      return Set.of("Qwen2Tokenizer", "Qwen2TokenizerFast");
    }

    @Override
    public Set<String> encoders() {
      return Set.of(
          "Qwen3Model",
          "Qwen3ForCausalLM",
          "Qwen2_5_VLForConditionalGeneration",
          "Qwen2_5_VLTextModel");
    }

    @Override
    public void check(Path directory, String className) {
      TokenizerFiles.requireVocabulary(directory, FILES);
      SubwordTokenizer.checkSides(directory, settings(directory));
    }

    @Override
    public Tokenizer open(Path directory, String className) {
      return QwenTokenizer.open(directory);
    }
  }
}
