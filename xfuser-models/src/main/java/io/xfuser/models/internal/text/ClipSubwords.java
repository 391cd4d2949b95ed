package io.xfuser.models.internal.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;

/**
 * CLIP's subwords as transformers' {@code CLIPTokenizer} cuts them where ftfy is installed, except
 * for ftfy's repair of wrongly decoded text.
 */
final class ClipSubwords implements Subwords {
  private static final Pattern SPACES = PythonText.pattern("\\s+");
  private static final Pattern WORDS =
      Pattern.compile(
          "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|\\p{L}+|\\p{N}"
              + "|[^ \\p{L}\\p{N}]+",
          Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE);
  // a word of its own wherever the pattern finds it, special token or not
  private static final Set<String> WHOLE = Set.of(ClipTokenizer.START, ClipTokenizer.END);

  private final AddedTokens added;
  private final Map<String, Long> vocabulary;
  private final long unknown;
  private final TokenizerJsonSubwords merged;

  ClipSubwords(ClipVocabulary words, JsonNode settings) {
    String unknownToken = ClipTokenizer.SPECIAL.token(settings, "unk");
    added = AddedTokens.of(settings, words.ids(), ClipTokenizer.SPECIAL);
    vocabulary = words.ids();
    unknown = added.id(unknownToken);
    merged = TokenizerJsonSubwords.of(FastDescriptions.words(words, unknownToken), words.origin());
  }

  @Override
  public long[] ids(String text) {
    return added.ids(added.split(text), this::plainIds);
  }

  private LongStream plainIds(String part) {
    String spaced = SPACES.matcher(TextFixes.fix(part)).replaceAll(" ");
    String text = PythonText.lower(PythonText.strip(spaced));
    LongStream.Builder ids = LongStream.builder();
    List<String> words = new ArrayList<>();
    for (Matcher matcher = WORDS.matcher(text); matcher.find(); ) {
      if (!WHOLE.contains(matcher.group())) {
        words.add(matcher.group());
        continue;
      }
      addIds(ids, words);
      words.clear();
      ids.add(vocabulary.getOrDefault(matcher.group(), unknown));
    }
    addIds(ids, words);
    return ids.build();
  }

  private void addIds(LongStream.Builder ids, List<String> words) {
    LongStream.of(merged.ids(String.join(" ", words))).forEach(ids::add);
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
    merged.close();
  }
}
