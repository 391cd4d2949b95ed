package io.xfuser.models.internal.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.xfuser.failure.ModelException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Tokens that are recognised in the text as they stand, before the words between them are cut:
 * transformers' {@code PreTrainedTokenizer}, for T5 with its sentinels {@code <extra_id_0>} ….
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
  record Token(
      long id,
      boolean stripsLeft,
      boolean stripsRight,
      boolean word,
      boolean normalized,
      boolean special) {}

  /** The tokens of {@code settings} beside those of the {@code vocabulary}. */
  static AddedTokens of(JsonNode settings, Map<String, Long> vocabulary, SpecialTokens special) {
    Map<String, Token> tokens = new LinkedHashMap<>();
    addListed(tokens, settings);
    addSpecial(tokens, special.all(settings), vocabulary);
    return new AddedTokens(tokens);
  }

  /**
   * The same for T5, whose sentinels follow the {@code pieces}.
   *
   * @param strip whether sentinels take the white space beside them, as those of the tokenizer that
   *     is written in Python do
   */
  static AddedTokens ofT5(JsonNode settings, Map<String, Long> pieces, boolean strip) {
    int sentinels = settings.path("extra_ids").asInt(SENTINELS);
    JsonNode named = settings.path("additional_special_tokens");
    long placed = named.isArray() ? count(named) : sentinels;
    Map<String, Token> tokens = new LinkedHashMap<>();
    for (int i = 0; i < placed; i++) {
      long id = pieces.size() - 1L + sentinels - i;
      tokens.put(SENTINEL + i + ">", new Token(id, strip, strip, false, false, true));
    }
    addListed(tokens, settings);
    Map<String, JsonNode> special = T5Tokenizer.SPECIAL.all(settings);
    if (count(named) == 0) {
      IntStream.range(0, sentinels)
          .forEach(i -> special.put(SENTINEL + i + ">", MissingNode.getInstance()));
    } else if (sentinels > 0 && count(named) != sentinels) {
      throw new ModelException(
          "extra_ids is " + sentinels + ", but " + count(named) + " sentinel tokens are named");
    }
    addSpecial(tokens, special, pieces);
    return new AddedTokens(tokens);
  }

  /** Adds what {@code added_tokens_decoder} lists; an id has one token, the last. */
  private static void addListed(Map<String, Token> tokens, JsonNode settings) {
    for (Map.Entry<String, JsonNode> entry : settings.path("added_tokens_decoder").properties()) {
      long id = Long.parseLong(entry.getKey());
      JsonNode json = entry.getValue();
      tokens.values().removeIf(token -> token.id() == id);
      tokens.put(
          TokenizerFiles.content(json, ""), token(id, json, json.path("special").asBoolean()));
    }
  }

  private static void addSpecial(
      Map<String, Token> tokens, Map<String, JsonNode> special, Map<String, Long> vocabulary) {
    special.forEach(
        (content, json) -> {
          long next =
              vocabulary.size()
                  + tokens.keySet().stream().filter(t -> !vocabulary.containsKey(t)).count();
          long id = vocabulary.getOrDefault(content, next);
          tokens.putIfAbsent(content, token(id, json, true));
        });
  }

  /** All of them, in the order in which they were added. */
  Map<String, Token> all() {
    return Collections.unmodifiableMap(tokens);
  }

  /**
   * The id of the token {@code content}.
   *
   * @throws ModelException if it is none
   */
  long id(String content) {
    return find(content).orElseThrow(() -> new ModelException("there is no token " + content)).id();
  }

  /** The ids of {@code parts}, of those that are no tokens the ids that {@code plain} gives. */
  long[] ids(List<String> parts, Function<String, LongStream> plain) {
    return parts.stream()
        .flatMapToLong(
            part ->
                find(part)
                    .map(token -> LongStream.of(token.id()))
                    .orElseGet(() -> plain.apply(part)))
        .toArray();
  }

  /** {@code text} with everything between the tokens in it replaced by what {@code edit} gives. */
  String outside(String text, UnaryOperator<String> edit) {
    return cut(text).stream()
        .map(part -> tokens.containsKey(part) ? part : edit.apply(part))
        .collect(Collectors.joining());
  }

  /** The token {@code content}, if it is one. */
  Optional<Token> find(String content) {
    return Optional.ofNullable(tokens.get(content));
  }

  /** {@code text} cut before and after each token in it, without the white space they take. */
  List<String> split(String text) {
    List<String> parts = cut(text);
    for (int i = 0; i < parts.size(); i++) {
      Token token = tokens.get(parts.get(i));
      if (token != null) {
        strip(parts, i, token);
      }
    }
    parts.removeIf(String::isEmpty);
    return parts;
  }

  private List<String> cut(String text) {
    List<String> parts = new ArrayList<>();
    int start = 0;
    for (Matcher matcher = pattern.matcher(text); matcher.find(); start = matcher.end()) {
      parts.add(text.substring(start, matcher.start()));
      parts.add(matcher.group());
    }
    parts.add(text.substring(start));
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

  private static Token token(long id, JsonNode json, boolean special) {
    return new Token(
        id,
        json.path("lstrip").asBoolean(),
        json.path("rstrip").asBoolean(),
        json.path("single_word").asBoolean(),
        json.path("normalized").asBoolean(!special),
        special);
  }

  private static long count(JsonNode additional) {
    return additional
        .valueStream()
        .filter(token -> TokenizerFiles.content(token, "").contains(SENTINEL))
        .count();
  }
}
