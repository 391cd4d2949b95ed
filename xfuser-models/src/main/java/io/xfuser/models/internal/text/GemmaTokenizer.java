package io.xfuser.models.internal.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The tokenizer of Gemma's language models, SentencePiece's byte pairs: transformers' {@code
 * GemmaTokenizer} and {@code GemmaTokenizerFast}, which give the same ids. A text begins with
 * {@code <bos>}. It pads on the right whatever its settings say, as pipelines ask it to.
 *
 * <p>Safe for use by several threads.
 */
final class GemmaTokenizer extends SubwordTokenizer {
  private static final String PIECES = "tokenizer.model";
  private static final Map<String, String> USUAL =
      Map.of("bos", "<bos>", "eos", "<eos>", "unk", "<unk>", "pad", "<pad>");

  private GemmaTokenizer(Path directory, JsonNode settings) {
    super(
        new Definition(directory, settings, special(settings)),
        () -> subwords(directory, settings));
  }

  /** What marks a text's start, and its end where the settings say so. */
  private static SpecialTokens special(JsonNode settings) {
    return new SpecialTokens(
        USUAL,
        settings.path("add_bos_token").asBoolean(true) ? List.of("bos") : List.of(),
        settings.path("add_eos_token").asBoolean(false) ? List.of("eos") : List.of());
  }

  private static JsonNode settings(Path directory) {
    return ((ObjectNode) TokenizerFiles.settings(directory)).without("padding_side");
  }

  private static Subwords subwords(Path directory, JsonNode settings) {
    Path described = directory.resolve("tokenizer.json");
    Path pieces = directory.resolve(PIECES);
    TokenizerFiles.requireVocabulary(directory, List.of(PIECES));
    return Files.exists(described)
        ? TokenizerJsonSubwords.open(described)
        : SentencePieceSubwords.open(pieces, settings, special(settings));
  }

  /** Opens {@code tokenizer.json}, or else {@code tokenizer.model}. */
  public static final class Provider implements TokenizerProvider {
    @Override
    public Set<String> classNames() {
      return Set.of("GemmaTokenizer", "GemmaTokenizerFast");
    }

    @Override
    public Set<String> encoders() {
      return Set.of("Gemma2Model", "Gemma2ForCausalLM");
    }

    @Override
    public void check(Path directory, String className) {
      TokenizerFiles.requireVocabulary(directory, List.of(PIECES));
      SubwordTokenizer.checkSides(directory, settings(directory));
    }

    @Override
    public Tokenizer open(Path directory, String className) {
      return new GemmaTokenizer(directory, settings(directory));
    }
  }
}
