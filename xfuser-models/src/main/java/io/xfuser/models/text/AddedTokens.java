package io.xfuser.models.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Tokens that are recognised in the text as they stand, before SentencePiece sees what is between
 * them: transformers' {@code PreTrainedTokenizer} with T5's sentinels {@code <extra_id_0>} ….
 */
final class AddedTokens {
  private static final int SENTINELS = 100;
  private static final String SENTINEL = "<extra_id_";

  private final Map<String, Token> tokens;
  private final Pattern pattern;

  private AddedTokens(Map<String, Token> tokens) {
    this.tokens = tokens;
    // the longest first: <extra_id_10> before <extra_id_1
    this.pattern =
        Pattern.compile(
            tokens.keySet().stream()
                .sorted(Comparator.comparingInt(String::length).reversed())
                .map(Pattern::quote)
                .collect(Collectors.joining("|")));
  }

  /** How a token is found: whether it takes the white space beside it, or is a word only. */
  record Token(long id, boolean stripsLeft, boolean stripsRight, boolean word, boolean special) {}

  /** The tokens of {@code settings} beside the {@code pieces} of the vocabulary. */
  static AddedTokens of(JsonNode settings, Map<String, Long> pieces) {
    int sentinels = settings.path("extra_ids").asInt(SENTINELS);
    List<String> additional = additional(settings, sentinels);
    Map<Long, String> byId = new TreeMap<>();
    Map<String, Token> tokens = new LinkedHashMap<>();
    long placed =
        settings.path("additional_special_tokens").isArray()
            ? count(settings.path("additional_special_tokens"))
            : sentinels;
    for (int i = 0; i < placed; i++) {
      long id = pieces.size() - 1L + sentinels - i;
      byId.put(id, SENTINEL + i + ">");
      tokens.put(SENTINEL + i + ">", new Token(id, true, true, false, true));
    }
    for (Map.Entry<String, JsonNode> entry : settings.path("added_tokens_decoder").properties()) {
      long id = Long.parseLong(entry.getKey());
      String content = TokenizerFiles.content(entry.getValue(), "");
      Optional.ofNullable(byId.put(id, content)).ifPresent(tokens::remove);
      tokens.put(content, token(id, entry.getValue()));
    }
    for (String content : additional) {
      long next =
          pieces.size() + tokens.keySet().stream().filter(t -> !pieces.containsKey(t)).count();
      long id = pieces.getOrDefault(content, next);
      tokens.putIfAbsent(content, new Token(id, false, false, false, true));
    }
    return new AddedTokens(tokens);
  }

  /** The token {@code content}, if it is one. */
  Optional<Token> find(String content) {
    return Optional.ofNullable(tokens.get(content));
  }

  /** {@code text} cut before and after each token in it, without the white space they take. */
  List<String> split(String text) {
    List<String> parts = new ArrayList<>();
    int start = 0;
    for (Matcher matcher = pattern.matcher(text); matcher.find(); start = matcher.end()) {
      parts.add(text.substring(start, matcher.start()));
      parts.add(matcher.group());
    }
    parts.add(text.substring(start));
    parts.removeIf(String::isEmpty);
    for (int i = 0; i < parts.size(); i++) {
      Token token = tokens.get(parts.get(i));
      if (token != null) {
        strip(parts, i, token);
      }
    }
    parts.removeIf(String::isEmpty);
    return parts;
  }

  private static void strip(List<String> parts, int i, Token token) {
    String left = i > 0 ? parts.get(i - 1) : "";
    String right = i + 1 < parts.size() ? parts.get(i + 1) : "";
    if (token.stripsRight() && !right.isEmpty()) {
      parts.set(i + 1, PythonText.stripLeft(right));
    }
    if (token.stripsLeft() && !left.isEmpty()) {
      parts.set(i - 1, PythonText.stripRight(left));
    }
    if (token.word() && !left.isEmpty() && !left.endsWith(" ")) {
      parts.set(i - 1, parts.get(i - 1) + parts.get(i));
      parts.set(i, "");
    } else if (token.word() && !right.isEmpty() && !right.startsWith(" ")) {
      parts.set(i + 1, parts.get(i) + parts.get(i + 1));
      parts.set(i, "");
    }
  }

  private static Token token(long id, JsonNode json) {
    return new Token(
        id,
        json.path("lstrip").asBoolean(),
        json.path("rstrip").asBoolean(),
        json.path("single_word").asBoolean(),
        json.path("special").asBoolean());
  }

  /** The special tokens that {@code settings} names, and the sentinels if it names none. */
  private static List<String> additional(JsonNode settings, int sentinels) {
    List<String> all = new ArrayList<>();
    for (String role : List.of("bos", "eos", "unk", "sep", "pad", "cls", "mask")) {
      all.add(TokenizerFiles.content(settings.path(role + "_token"), standard(role)));
    }
    JsonNode additional = settings.path("additional_special_tokens");
    additional.forEach(token -> all.add(TokenizerFiles.content(token, "")));
    long named = count(additional);
    if (named == 0) {
      IntStream.range(0, sentinels).mapToObj(i -> SENTINEL + i + ">").forEach(all::add);
    } else if (sentinels > 0 && named != sentinels) {
      throw new IllegalArgumentException(
          "extra_ids is " + sentinels + ", but " + named + " sentinel tokens are named");
    }
    all.removeIf(String::isEmpty);
    return all;
  }

  private static String standard(String role) {
    return switch (role) {
      case "eos" -> "</s>";
      case "unk" -> "<unk>";
      case "pad" -> "<pad>";
      default -> "";
    };
  }

  private static long count(JsonNode additional) {
    return additional
        .valueStream()
        .filter(token -> TokenizerFiles.content(token, "").contains(SENTINEL))
        .count();
  }
}
