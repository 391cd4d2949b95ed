package io.xfuser.models.internal.text;

import java.text.Normalizer;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The fixes of ftfy 6's {@code fix_text} with its default settings, except the repair of text that
 * was decoded with the wrong encoding ("sÃ³" stays as it is).
 */
final class TextFixes {
  private static final Pattern LINES = Pattern.compile("[^\\n]*\\n|[^\\n]+");
  private static final Pattern REFERENCE = Pattern.compile("&#?[0-9A-Za-z]{1,24};");
  private static final Pattern WINDOWS_1252_CONTROL = Pattern.compile("[\\x80-\\x9f]");
  private static final Pattern DOUBLE_QUOTE = Pattern.compile("[\\u201c-\\u201f]");
  private static final Pattern SINGLE_QUOTE = Pattern.compile("[\\u02bc\\u2018-\\u201b]");
  private static final Pattern LINE_BREAK = Pattern.compile("\\r\\n|[\\r\\u2028\\u2029\\x85]");
  private static final Pattern LONE_SURROGATE =
      Pattern.compile(
          "[\\ud800-\\udbff](?![\\udc00-\\udfff])|(?<![\\ud800-\\udbff])[\\udc00-\\udfff]");
  private static final Pattern TERMINAL_ESCAPE = Pattern.compile("\\x1b\\[[\\p{Nd};]*[a-zA-Z]");
  private static final Pattern CONTROL =
      Pattern.compile("[\\x00-\\x08\\x0b\\x0e-\\x1f\\x7f\\u206a-\\u206f\\ufeff\\ufff9-\\ufffc]");
  private static final Map<Integer, String> REPLACEMENTS = replacements();

  private TextFixes() {}

  /** The text, fixed line by line until nothing changes. */
  static String fix(String text) {
    StringBuilder fixed = new StringBuilder();
    boolean unescape = true;
    Matcher lines = LINES.matcher(text);
    while (lines.find()) {
      // a "<" means that it is HTML after all, from there on
      unescape &= lines.group().indexOf('<') < 0;
      fixed.append(fixLine(lines.group(), unescape));
    }
    return fixed.toString();
  }

  private static String fixLine(String line, boolean unescape) {
    String before;
    String text = line;
    do {
      before = text;
      if (unescape) {
        text = replace(text, REFERENCE, TextFixes::unescape);
      }
      text =
          replace(text, WINDOWS_1252_CONTROL, c -> HtmlReferences.windows1252(c.group().charAt(0)));
      text = translate(text);
      text = DOUBLE_QUOTE.matcher(text).replaceAll("\"");
      text = SINGLE_QUOTE.matcher(text).replaceAll("'");
      text = LINE_BREAK.matcher(text).replaceAll("\n");
      text = LONE_SURROGATE.matcher(text).replaceAll("\ufffd");
      text = TERMINAL_ESCAPE.matcher(text).replaceAll("");
      text = CONTROL.matcher(text).replaceAll("");
      text = Normalizer.normalize(text, Normalizer.Form.NFC);
    } while (!text.equals(before));
    return text;
  }

  /** Only references with a semicolon, and those in capitals whose name is in small letters. */
  private static String unescape(MatchResult found) {
    String reference = found.group();
    String name = reference.substring(1, reference.length() - 1);
    String unescaped = HtmlReferences.unescape(reference);
    if (name.startsWith("#")) {
      return unescaped.contains(";") ? reference : unescaped;
    }
    String small = name.toLowerCase(Locale.ROOT);
    boolean capitals = unescaped.equals(reference) && name.equals(small.toUpperCase(Locale.ROOT));
    return HtmlReferences.named(name)
        .or(
            () ->
                HtmlReferences.named(small)
                    .filter(x -> capitals)
                    .map(x -> x.toUpperCase(Locale.ROOT)))
        .orElse(reference);
  }

  private static String translate(String text) {
    StringBuilder translated = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              String replacement = REPLACEMENTS.get(c);
              if (replacement == null) {
                translated.appendCodePoint(c);
              } else {
                translated.append(replacement);
              }
            });
    return translated.toString();
  }

  /** Ligatures of Latin letters, then full-width and half-width forms. */
  private static Map<Integer, String> replacements() {
    Map<Integer, String> map = new HashMap<>();
    for (char ligature : "ĲĳŉǱǲǳǄǅǆǇǈǉǊǋǌﬀﬁﬂﬃﬄﬆ".toCharArray()) {
      map.put((int) ligature, Normalizer.normalize(String.valueOf(ligature), Normalizer.Form.NFKC));
    }
    map.put((int) 'ﬅ', "ſt");
    map.put(0x3000, " ");
    for (int c = 0xff01; c < 0xfff0; c++) {
      String form = Character.toString(c);
      String normal = Normalizer.normalize(form, Normalizer.Form.NFKC);
      if (!normal.equals(form)) {
        map.put(c, normal);
      }
    }
    return Map.copyOf(map);
  }

  private static String replace(
      String text, Pattern pattern, java.util.function.Function<MatchResult, String> replacement) {
    return pattern
        .matcher(text)
        .replaceAll(found -> Matcher.quoteReplacement(replacement.apply(found)));
  }
}
