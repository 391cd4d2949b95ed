package io.xfuser.models.internal.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The special tokens of a class of tokenizers.
 *
 * @param usual the token of each role, {@code eos} for example, where the settings name none
 * @param start the roles of the tokens before a text
 * @param end the roles of the tokens after it
 */
record SpecialTokens(Map<String, String> usual, List<String> start, List<String> end) {
  private static final List<String> ROLES =
      List.of("bos", "eos", "unk", "sep", "pad", "cls", "mask");

  /** The token that {@code settings} name for {@code role}, empty if there is none. */
  String token(JsonNode settings, String role) {
    return TokenizerFiles.content(settings.path(role + "_token"), usual.getOrDefault(role, ""));
  }

  /** Every token with its settings, in the order in which transformers adds them. */
  Map<String, JsonNode> all(JsonNode settings) {
    Map<String, JsonNode> all = new LinkedHashMap<>();
    for (String role : ROLES) {
      all.putIfAbsent(token(settings, role), settings.path(role + "_token"));
    }
    settings
        .path("additional_special_tokens")
        .forEach(token -> all.putIfAbsent(TokenizerFiles.content(token, ""), token));
    all.remove("");
    return all;
  }
}
