package io.xfuser.models.internal.text;

import ai.djl.engine.EngineException;
import ai.djl.sentencepiece.SpProcessor;
import ai.djl.sentencepiece.SpTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.natives.NativeLibrary;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Subwords by SentencePiece, as transformers' {@code T5Tokenizer} and {@code GemmaTokenizer} use
 * it. Of T5: With the setting {@code legacy} every stretch of text between special tokens gets a
 * space before it; without, only the text as a whole does (huggingface/transformers#24565).
 */
final class SentencePieceSubwords implements Subwords {
  private static final String SPACE = "\u2581";

  private final SpTokenizer tokenizer;
  private final AddedTokens added;
  private final String unknown;
  private final boolean legacy;
  private final boolean prefixed;

  private SentencePieceSubwords(byte[] model, JsonNode settings, AddedTokens added) {
    this.added = added;
    this.unknown = TokenizerFiles.content(settings.path("unk_token"), "<unk>");
    this.legacy = settings.path("legacy").asBoolean(true);
    this.prefixed = settings.path("add_prefix_space").asBoolean(!settings.has("add_prefix_space"));
    this.tokenizer = new SpTokenizer(legacy ? model : SentencePieceModel.withoutPrefix(model));
  }

  /** Opens {@code file}; throws ModelException if it is no SentencePiece model. */
  static SentencePieceSubwords open(Path file, JsonNode settings) {
    return open(file, settings, ids -> AddedTokens.ofT5(settings, ids, true));
  }

  /**
   * The same with the tokens that {@code special} names, and without T5's; text is cut as the file
   * says.
   */
  static SentencePieceSubwords open(Path file, JsonNode settings, SpecialTokens special) {
    JsonNode asItIs = ((ObjectNode) settings.deepCopy()).put("legacy", true);
    return open(file, asItIs, ids -> AddedTokens.of(settings, ids, special));
  }

  private static SentencePieceSubwords open(
      Path file, JsonNode settings, Function<Map<String, Long>, AddedTokens> adding) {
    NativeLibrary.SENTENCEPIECE.prepare(SpTokenizer.class);
    try {
      byte[] model = SentencePieceModel.read(file);
      AddedTokens added = adding.apply(SentencePieceModel.parse(model).ids());
      return new SentencePieceSubwords(model, settings, added);
    } catch (EngineException | IllegalArgumentException | ModelException e) {
      throw new ModelException(file + " is not a SentencePiece model: " + e.getMessage(), e);
    }
  }

  @Override
  public long[] ids(String text) {
    String marked = text;
    if (!legacy && !text.isEmpty()) {
      marked = (prefixed ? SPACE : "") + text.replace(SPACE, " ");
    }
    List<String> parts = added.split(marked);
    if (!legacy && parts.size() > 1 && isSpecial(parts.get(1)) && isLoneSpace(parts.get(0))) {
      parts = parts.subList(1, parts.size());
    }
    return added.ids(parts, part -> Arrays.stream(pieces(part)).mapToLong(id -> id));
  }

  @Override
  public long idOf(String specialToken) {
    return added.id(specialToken);
  }

  @Override
  public boolean repeatsEnd() {
    return false;
  }

  @Override
  public void close() {
    tokenizer.close();
  }

  private int[] pieces(String part) {
    SpProcessor processor = tokenizer.getProcessor();
    if (legacy || !(part.startsWith(SPACE) || part.startsWith(" "))) {
      return processor.encode(part);
    }
    // SentencePiece drops a space at the start; behind the unknown token it keeps it
    int[] ids = processor.encode(unknown + part);
    int front = processor.encode(unknown).length;
    return ids.length >= front ? Arrays.copyOfRange(ids, front, ids.length) : ids;
  }

  private boolean isSpecial(String part) {
    return added.find(part).map(AddedTokens.Token::special).orElse(false);
  }

  private boolean isLoneSpace(String part) {
    return pieces(part).length == 1 && part.strip().equals(SPACE);
  }
}
