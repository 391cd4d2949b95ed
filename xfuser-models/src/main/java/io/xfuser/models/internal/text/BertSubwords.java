package io.xfuser.models.internal.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** BERT's subwords as transformers' {@code BertTokenizer} cuts them. */
final class BertSubwords implements Subwords {
  // control characters but those that are spaces, unassigned and private ones, and U+FFFD
  private static final Pattern DROPPED = Pattern.compile("[\\p{C}\\ufffd&&[^\\t\\n\\r]]");
  private static final Pattern SPACE = Pattern.compile("[\\p{Zs}\\t\\n\\r]");
  // the blocks of Chinese characters in BERT's own code, not all that Unicode has
  private static final Pattern CHINESE =
      Pattern.compile(
          "[\\u4e00-\\u9fff\\u3400-\\u4dbf\\uf900-\\ufaff\\x{20000}-\\x{2a6df}\\x{2a700}-\\x{2b73f}"
              + "\\x{2b740}-\\x{2b81f}\\x{2b820}-\\x{2ceaf}\\x{2f800}-\\x{2fa1f}]");
  private static final Pattern MARK = Pattern.compile("\\p{Mn}");
  private static final Pattern PUNCTUATION = Pattern.compile("[\\p{P}!-/:-@\\[-`{-~]");
  private static final Pattern WORD = PythonText.pattern("\\S+");

  private final AddedTokens added;
  private final Set<String> neverSplit;
  private final boolean lowerCase;
  private final boolean stripsAccents;
  private final boolean splitsChinese;
  private final boolean splitsWords;
  private final TokenizerJsonSubwords pieces;

  BertSubwords(Map<String, Long> vocabulary, JsonNode settings, Path origin) {
    added = AddedTokens.of(settings, vocabulary, BertTokenizer.SPECIAL);
    neverSplit = BertTokenizer.SPECIAL.all(settings).keySet();
    splitsWords = settings.path("do_basic_tokenize").asBoolean(true);
    lowerCase = splitsWords && settings.path("do_lower_case").asBoolean(true);
    stripsAccents = settings.path("strip_accents").asBoolean(lowerCase);
    splitsChinese = settings.path("tokenize_chinese_chars").asBoolean(true);
    String unknown = BertTokenizer.SPECIAL.token(settings, "unk");
    pieces = TokenizerJsonSubwords.of(FastDescriptions.wordPieces(vocabulary, unknown), origin);
  }

  @Override
  public long[] ids(String text) {
    return added.ids(added.split(lowerCase ? lowerCase(text) : text), this::plainIds);
  }

  /** Every character by itself, so a sigma at the end of a word is no other than elsewhere. */
  private String lowerCase(String text) {
    return added.outside(
        text,
        part ->
            part.codePoints()
                .mapToObj(c -> PythonText.lower(Character.toString(c)))
                .collect(Collectors.joining()));
  }

  private LongStream plainIds(String part) {
    return LongStream.of(pieces.ids(splitsWords ? words(part) : part));
  }

  /** The words and punctuation marks of {@code part} with spaces between them. */
  private String words(String part) {
    String text = SPACE.matcher(DROPPED.matcher(part).replaceAll("")).replaceAll(" ");
    if (splitsChinese) {
      text = CHINESE.matcher(text).replaceAll(" $0 ");
    }
    text = Normalizer.normalize(text, Normalizer.Form.NFC);
    return WORD.matcher(text).replaceAll(word -> Matcher.quoteReplacement(split(word.group())));
  }

  private String split(String word) {
    if (neverSplit.contains(word)) {
      return word;
    }
    String text = lowerCase ? PythonText.lower(word) : word;
    if (stripsAccents) {
      text = MARK.matcher(Normalizer.normalize(text, Normalizer.Form.NFD)).replaceAll("");
    }
    return PUNCTUATION.matcher(text).replaceAll(" $0 ");
  }

  @Override
  public long idOf(String specialToken) {
    return added.id(specialToken);
  }

  @Override
  public boolean repeatsEnd() {
    return true;
  }

  @Override
  public void close() {
    pieces.close();
  }
}
