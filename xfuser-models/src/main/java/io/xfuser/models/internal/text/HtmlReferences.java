package io.xfuser.models.internal.text;

import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jsoup.nodes.Entities;

/**
 * Character references of HTML5 as Python decodes them: {@code html.unescape}, and the stricter
 * rule of {@code html.parser}. The table of names is jsoup's, which equals Python's.
 */
final class HtmlReferences {
  private static final Pattern REFERENCE =
      Pattern.compile("&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\\t\\n\\f <&#;]{1,32};?)");
  // what U+0080 to U+009F of Windows-1252 stand for; U+0081, 8D, 8F, 90 and 9D are themselves
  private static final String WINDOWS_1252 =
      "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f"
          + "\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178";

  private HtmlReferences() {}

  /** {@code html.unescape}: references with or without a semicolon, the longest name first. */
  static String unescape(String text) {
    return REFERENCE
        .matcher(text)
        .replaceAll(found -> Matcher.quoteReplacement(replacement(found)));
  }

  private static String replacement(MatchResult found) {
    String name = found.group(1);
    if (name.startsWith("#")) {
      int number = number(name.replace(";", "").substring(1));
      return isDropped(number) ? "" : character(number);
    }
    if (name.endsWith(";")) {
      Optional<String> exact = named(name.substring(0, name.length() - 1));
      if (exact.isPresent()) {
        return exact.get();
      }
    }
    for (int end = name.length(); end > 1; end--) {
      String prefix = name.substring(0, end);
      if (Entities.isBaseNamedEntity(prefix)) {
        return Entities.getByName(prefix) + name.substring(end);
      }
    }
    return found.group();
  }

  /** The characters that HTML5 gives the reference {@code name}, if it knows it. */
  static Optional<String> named(String name) {
    return Optional.of(Entities.getByName(name)).filter(characters -> !characters.isEmpty());
  }

  /** The value of {@code 123} or {@code x1f}; what is too large for a character is -1. */
  static int number(String digits) {
    boolean hexadecimal = digits.startsWith("x") || digits.startsWith("X");
    String significant = digits.substring(hexadecimal ? 1 : 0).replaceFirst("^0+(?=.)", "");
    return significant.length() > 8
        ? -1
        : (int) Math.min(Integer.MAX_VALUE, Long.parseLong(significant, hexadecimal ? 16 : 10));
  }

  /** The character of a numeric reference; no character, surrogates and 0 become U+FFFD. */
  static String character(int number) {
    if (number >= 0x80 && number <= 0x9f) {
      return windows1252(number);
    }
    boolean surrogate = number >= 0xd800 && number <= 0xdfff;
    return number <= 0 || number > Character.MAX_CODE_POINT || surrogate
        ? "\ufffd"
        : Character.toString(number);
  }

  /** What the byte {@code number}, 0x80 to 0x9f, means in Windows-1252. */
  static String windows1252(int number) {
    return WINDOWS_1252.substring(number - 0x80, number - 0x7f);
  }

  private static boolean isDropped(int number) {
    boolean whiteSpace = number >= 0x9 && number <= 0xd && number != 0xb;
    boolean control = (number >= 0x1 && number <= 0x1f && !whiteSpace) || number == 0x7f;
    boolean nonCharacter =
        (number >= 0xfdd0 && number <= 0xfdef)
            || (number <= Character.MAX_CODE_POINT && (number & 0xfffe) == 0xfffe);
    return control || (number > 0 && nonCharacter);
  }
}
