package io.xfuser.models.internal.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.failure.ModelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Descriptions of tokenizers in the form of {@code tokenizer.json}, made from other files: those
 * that transformers' {@code convert_slow_tokenizer} makes, and those that only cut words into
 * pieces. They do not mark the start and the end of a text.
 */
final class FastDescriptions {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String SPACES = "{\"type\": \"WhitespaceSplit\"}";

  private FastDescriptions() {}

  /** CLIP's byte pairs for words that are separated by spaces. */
  static ObjectNode words(ClipVocabulary vocabulary, String unknown) {
    return description(
        bytePairs(vocabulary, unknown),
        "null",
        """
        {"type": "Sequence", "pretokenizers": [%s,
          {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]}
        """
            .formatted(SPACES));
  }

  /** {@code CLIPTokenizerFast}. */
  static ObjectNode clip(ClipVocabulary vocabulary, JsonNode settings) {
    ObjectNode json =
        description(
            bytePairs(vocabulary, ClipTokenizer.SPECIAL.token(settings, "unk")),
            """
            {"type": "Sequence", "normalizers": [{"type": "NFC"},
              {"type": "Replace", "pattern": {"Regex": "\\\\s+"}, "content": " "},
              {"type": "Lowercase"}]}
            """,
            """
            {"type": "Sequence", "pretokenizers": [
              {"type": "Split", "behavior": "Removed", "invert": true, "pattern": {"Regex":
                "'s|'t|'re|'ve|'m|'ll|'d|[\\\\p{L}]+|[\\\\p{N}]|[^\\\\s\\\\p{L}\\\\p{N}]+"}},
              {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
                "use_regex": true}]}
            """);
    return add(json, AddedTokens.of(settings, vocabulary.ids(), ClipTokenizer.SPECIAL));
  }

  /** {@code Qwen2TokenizerFast}, made from the vocabulary. */
  static ObjectNode qwen(ClipVocabulary vocabulary, JsonNode settings) {
    ObjectNode model = bytePairs(vocabulary, "");
    model.putNull("unk_token").put("end_of_word_suffix", "");
    ObjectNode json =
        description(
            model,
            "{\"type\": \"NFC\"}",
            """
            {"type": "Sequence", "pretokenizers": [
              {"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {"Regex":
                "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}\
            | ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"}},
              {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false,
                "use_regex": false}]}
            """);
    return add(json, AddedTokens.of(settings, vocabulary.ids(), QwenTokenizer.SPECIAL));
  }

  /** BERT's pieces for words that are separated by spaces. */
  static ObjectNode wordPieces(Map<String, Long> vocabulary, String unknown) {
    ObjectNode model = model("WordPiece", vocabulary);
    model.put("unk_token", unknown);
    model.put("continuing_subword_prefix", "##").put("max_input_chars_per_word", 100);
    return description(model, "null", SPACES);
  }

  /** {@code BertTokenizerFast}. */
  static ObjectNode bert(Map<String, Long> vocabulary, JsonNode settings) {
    ObjectNode json = wordPieces(vocabulary, BertTokenizer.SPECIAL.token(settings, "unk"));
    json.set("normalizer", bertNormalizer(settings));
    json.putObject("pre_tokenizer").put("type", "BertPreTokenizer");
    return add(json, AddedTokens.of(settings, vocabulary, BertTokenizer.SPECIAL));
  }

  /** The description in {@code file}, of which BERT's class sets the normalization anew. */
  static ObjectNode bert(Path file, JsonNode settings) {
    ObjectNode json = TokenizerFiles.read(file);
    TokenizerJsonCheck.require(json, file);
    if (json.path("normalizer").path("type").asText().equals("BertNormalizer")) {
      boolean cleans = json.path("normalizer").path("clean_text").asBoolean(true);
      json.set("normalizer", bertNormalizer(settings).put("clean_text", cleans));
    }
    return json;
  }

  private static ObjectNode bertNormalizer(JsonNode settings) {
    ObjectNode normalizer = JsonNodeFactory.instance.objectNode();
    normalizer.put("type", "BertNormalizer").put("clean_text", true);
    JsonNode strip = settings.path("strip_accents");
    normalizer.set("strip_accents", strip.isBoolean() ? strip : null);
    normalizer.put("lowercase", settings.path("do_lower_case").asBoolean(true));
    return normalizer.put(
        "handle_chinese_chars", settings.path("tokenize_chinese_chars").asBoolean(true));
  }

  /** {@code T5TokenizerFast} made from {@code spiece.model}. */
  static ObjectNode unigram(Path file, JsonNode settings) {
    try {
      return unigram(SentencePieceModel.parse(SentencePieceModel.read(file)), settings);
    } catch (ModelException e) {
      throw new ModelException(file + " is not a SentencePiece model: " + e.getMessage(), e);
    }
  }

  private static ObjectNode unigram(SentencePieceModel pieces, JsonNode settings) {
    if (!pieces.unigram()) {
      throw new ModelException("only a unigram model can be converted");
    }
    ObjectNode model = JsonNodeFactory.instance.objectNode();
    model.put("type", "Unigram").put("unk_id", pieces.unknown());
    ArrayNode vocabulary = model.putArray("vocab");
    pieces.pieces().forEach(p -> vocabulary.addArray().add(p.text()).add((double) p.score()));
    for (int i = settings.path("extra_ids").asInt(100) - 1; i >= 0; i--) {
      vocabulary.addArray().add("<extra_id_" + i + ">").add(0.0);
    }
    boolean prefix = settings.path("add_prefix_space").asBoolean(!settings.has("add_prefix_space"));
    boolean legacy = settings.path("legacy").asBoolean(true);
    String scheme = !prefix ? "never" : legacy ? "always" : "first";
    ObjectNode json =
        description(
            model,
            "null",
            "{\"type\": \"Metaspace\", \"replacement\": \"▁\", \"prepend_scheme\": \"%s\"}"
                .formatted(scheme));
    json.set("normalizer", spaces(pieces.characterMap()));
    ArrayNode added = json.withArray("added_tokens");
    Map<String, Long> ids = pieces.ids();
    for (SentencePieceModel.Piece piece : pieces.pieces()) {
      if (piece.control() || piece.userDefined()) {
        long id = ids.getOrDefault(piece.text(), 0L);
        add(added, piece.text(), plain(id, piece.control()));
      }
    }
    return add(json, AddedTokens.ofT5(settings, ids, false));
  }

  private static AddedTokens.Token plain(long id, boolean special) {
    return new AddedTokens.Token(id, false, false, false, false, special);
  }

  private static ObjectNode spaces(String characterMap) {
    ObjectNode normalizer = JsonNodeFactory.instance.objectNode().put("type", "Sequence");
    ArrayNode steps = normalizer.putArray("normalizers");
    if (!characterMap.isEmpty()) {
      steps.addObject().put("type", "Precompiled").put("precompiled_charsmap", characterMap);
    }
    steps.addObject().put("type", "Strip").put("strip_left", false).put("strip_right", true);
    ObjectNode replace = steps.addObject().put("type", "Replace").put("content", "▁");
    replace.putObject("pattern").put("Regex", " {2,}");
    return normalizer;
  }

  private static ObjectNode bytePairs(ClipVocabulary vocabulary, String unknown) {
    ObjectNode model = model("BPE", vocabulary.ids());
    model.putNull("dropout").put("unk_token", unknown);
    model.put("continuing_subword_prefix", "").put("end_of_word_suffix", "</w>");
    model.put("fuse_unk", false).put("byte_fallback", false);
    model.set("merges", vocabulary.merges());
    return model;
  }

  private static ObjectNode model(String type, Map<String, Long> vocabulary) {
    ObjectNode model = JsonNodeFactory.instance.objectNode().put("type", type);
    ObjectNode ids = model.putObject("vocab");
    vocabulary.forEach(ids::put);
    return model;
  }

  private static ObjectNode description(ObjectNode model, String normalizer, String words) {
    ObjectNode json = JsonNodeFactory.instance.objectNode().put("version", "1.0");
    json.putNull("truncation").putNull("padding").putArray("added_tokens");
    try {
      json.set("normalizer", JSON.readTree(normalizer));
      json.set("pre_tokenizer", JSON.readTree(words));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
    json.putNull("post_processor").putNull("decoder").set("model", model);
    return json;
  }

  private static ObjectNode add(ObjectNode json, AddedTokens tokens) {
    ArrayNode list = json.withArray("added_tokens");
    tokens.all().forEach((content, token) -> add(list, content, token));
    List<JsonNode> sorted = new ArrayList<>();
    list.forEach(sorted::add);
    sorted.sort((a, b) -> Long.compare(a.path("id").asLong(), b.path("id").asLong()));
    list.removeAll().addAll(sorted);
    return json;
  }

  private static void add(ArrayNode list, String content, AddedTokens.Token token) {
    list.addObject()
        .put("id", token.id())
        .put("content", content)
        .put("single_word", token.word())
        .put("lstrip", token.stripsLeft())
        .put("rstrip", token.stripsRight())
        .put("normalized", token.normalized())
        .put("special", token.special());
  }
}
