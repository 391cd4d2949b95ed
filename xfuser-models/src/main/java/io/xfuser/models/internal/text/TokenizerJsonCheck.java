package io.xfuser.models.internal.text;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.failure.ModelException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;

/**
 * What of a {@code tokenizer.json} makes Hugging Face's tokenizers panic, which ends the process
 * where others would throw: damaged tables of characters, and prefixes longer than a merge's piece.
 */
final class TokenizerJsonCheck {
  private static final JsonMapper JSON = new JsonMapper();

  private static final String PREFIX = "continuing_subword_prefix";

  private final Path origin;
  private boolean merges;
  private boolean prefix;

  private TokenizerJsonCheck(Path origin) {
    this.origin = origin;
  }

  /**
   * Reads {@code json} but for its vocabulary, which is most of it.
   *
   * @throws ModelException if it is no JSON, or would be such an end
   */
  static void require(byte[] json, Path origin) {
    try (JsonParser parser = JSON.createParser(json)) {
      new TokenizerJsonCheck(origin).read(parser);
    } catch (IOException e) {
      throw new ModelException(
          origin + " does not describe a tokenizer: it is no JSON, or damaged", e);
    }
  }

  /**
   * The same of what was read.
   *
   * @throws ModelException if it would be such an end
   */
  static void require(JsonNode description, Path origin) {
    TokenizerJsonCheck check = new TokenizerJsonCheck(origin);
    for (Map.Entry<String, JsonNode> field : description.properties()) {
      if (field.getKey().equals("model")) {
        check.merges = field.getValue().has("merges");
        check.prefix = !field.getValue().path(PREFIX).asText("").isEmpty();
      } else if (!field.getKey().equals("added_tokens")) {
        check.check(field.getValue());
      }
    }
    check.requireMerges();
  }

  private void read(JsonParser parser) throws IOException {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw wrong("it is no object");
    }
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      boolean object = parser.nextToken() == JsonToken.START_OBJECT;
      if (name.equals("model") && object) {
        readModel(parser);
      } else if (name.equals("added_tokens")) {
        parser.skipChildren();
      } else {
        check(JSON.readTree(parser));
      }
    }
    requireMerges();
  }

  private void requireMerges() {
    if (merges && prefix) {
      throw wrong("its merges have a " + PREFIX + ", which is not supported");
    }
  }

  private void readModel(JsonParser parser) throws IOException {
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      merges |= name.equals("merges");
      prefix |=
          name.equals(PREFIX) && value == JsonToken.VALUE_STRING && !parser.getText().isEmpty();
      parser.skipChildren();
    }
  }

  private void check(JsonNode node) {
    if (node.path("type").asText().equals("Precompiled")) {
      requireTable(node.path("precompiled_charsmap"));
    }
    node.forEach(this::check);
  }

  private void requireTable(JsonNode table) {
    if (!table.isTextual()) {
      throw wrong("a normalizer of type Precompiled has no precompiled_charsmap");
    }
    try {
      CharacterTable.require(Base64.getDecoder().decode(table.textValue()));
    } catch (IllegalArgumentException e) {
      throw wrong("its precompiled_charsmap is no base64");
    } catch (ModelException e) {
      throw wrong(String.valueOf(e.getMessage()));
    }
  }

  private ModelException wrong(String why) {
    return new ModelException(origin + " does not describe a tokenizer: " + why);
  }
}
