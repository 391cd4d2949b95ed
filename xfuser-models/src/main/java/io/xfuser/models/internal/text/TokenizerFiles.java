package io.xfuser.models.internal.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.failure.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The settings beside a tokenizer's vocabulary, as transformers puts them together. */
final class TokenizerFiles {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String DECODER = "added_tokens_decoder";

  private TokenizerFiles() {}

  /**
   * {@code tokenizer_config.json}. Where it lists no added tokens, as before transformers 4.34,
   * special_tokens_map.json overrides it, and added_tokens.json and tokenizer.json give the list.
   */
  static JsonNode settings(Path directory) {
    ObjectNode settings = read(directory.resolve("tokenizer_config.json"));
    if (settings.hasNonNull(DECODER)) {
      return settings;
    }
    settings.setAll(read(directory.resolve("special_tokens_map.json")));
    ObjectNode added = settings.putObject(DECODER);
    read(directory.resolve("added_tokens.json"))
        .properties()
        .forEach(
            token ->
                added
                    .putObject(token.getValue().asText())
                    .put("content", token.getKey())
                    .put("special", isSpecial(settings, token.getKey())));
    for (JsonNode token : read(directory.resolve("tokenizer.json")).path("added_tokens")) {
      added.set(token.path("id").asText(), token);
    }
    return settings;
  }

  /**
   * Makes sure that a tokenizer has its files: those {@code named}, or {@code tokenizer.json}.
   *
   * @throws ModelException naming the first that is missing
   */
  static void requireVocabulary(Path directory, List<String> named) {
    if (!Files.exists(directory.resolve("tokenizer.json"))) {
      for (String name : named) {
        if (!Files.exists(directory.resolve(name))) {
          throw new ModelException("%s has no %s and no tokenizer.json".formatted(directory, name));
        }
      }
    }
  }

  /** The text of a token that is given as a string or as an object. */
  static String content(JsonNode token, String otherwise) {
    return token.isObject() ? token.path("content").asText() : token.asText(otherwise);
  }

  static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new ModelException(file + " cannot be read: " + Reason.of(e), e);
    }
  }

  /** The lines of {@code file}, each with its number from 0; of equal ones the last. */
  static Map<String, Long> lines(Path file) {
    Map<String, Long> lines = new LinkedHashMap<>();
    long number = 0;
    for (String line : text(file).lines().toList()) {
      lines.put(line, number++);
    }
    return lines;
  }

  /** Makes sure that the vocabulary in {@code file} has {@code token}. */
  static void require(Map<String, Long> vocabulary, String token, Path file) {
    if (!vocabulary.containsKey(token)) {
      throw new ModelException(file + " has no token " + token);
    }
  }

  private static boolean isSpecial(ObjectNode settings, String content) {
    for (JsonNode value : settings) {
      if (content.equals(content(value, ""))) {
        return true;
      }
    }
    for (JsonNode value : settings.path("additional_special_tokens")) {
      if (content.equals(content(value, ""))) {
        return true;
      }
    }
    return false;
  }

  /** The JSON object in {@code file}, an empty one if there is no such file. */
  static ObjectNode read(Path file) {
    if (!Files.exists(file)) {
      return JsonNodeFactory.instance.objectNode();
    }
    try {
      if (JSON.readTree(file.toFile()) instanceof ObjectNode object) {
        return object;
      }
      throw new ModelException(file + " is not a JSON object");
    } catch (IOException e) {
      throw new ModelException(file + " cannot be read as JSON (" + Reason.of(e) + ")", e);
    }
  }
}
