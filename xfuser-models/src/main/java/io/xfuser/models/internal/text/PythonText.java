package io.xfuser.models.internal.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Text operations with Python's meaning, where Java's differs: captions are cleaned by Python code,
 * and the model was trained on what it makes of them.
 */
final class PythonText {
  // str.isspace, which unlike White_Space has the separators U+001C to U+001F
  private static final String SPACE =
      "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
  // str.isalnum and "_"; unlike Java's, no combining marks. The letter at the end is beyond U+FFFF:
  // only where Java sees one does its look-behind step over both halves of a surrogate pair.
  private static final String WORD = "\\p{L}\\p{N}_\ud800\udf30";
  private static final String BOUNDARY =
      "(?:(?<=[" + WORD + "])(?![" + WORD + "])|(?<![" + WORD + "])(?=[" + WORD + "]))";

  // Word_Break = MidLetter, MidNumLet or Single_Quote
  private static final String INSIDE_WORDS =
      "'.:\u00b7\u0387\u055f\u05f4\u2018\u2019\u2024\u2027\ufe13\ufe52\ufe55\uff07\uff0e\uff1a";

  private static final Pattern LEADING_SPACE = pattern("\\A\\s+");
  private static final Pattern TRAILING_SPACE = pattern("\\s+\\z");
  private static final Pattern ASCII = Pattern.compile("[\\x00-\\x7f]+");

  private PythonText() {}

  /**
   * A pattern of Python's {@code re} for strings: {@code \w \d \s \b} and their opposites are
   * Unicode, {@code $} is the end or before a final line feed.
   */
  static Pattern pattern(String regex) {
    StringBuilder java = new StringBuilder();
    for (int i = 0; i < regex.length(); i++) {
      char c = regex.charAt(i);
      if (c != '\\') {
        java.append(c);
        continue;
      }
      char escaped = regex.charAt(++i);
      java.append(
          switch (escaped) {
            case 'w' -> "[" + WORD + "]";
            case 'W' -> "[^" + WORD + "]";
            case 's' -> "[" + SPACE + "]";
            case 'S' -> "[^" + SPACE + "]";
            case 'd' -> "\\p{Nd}";
            case 'D' -> "\\P{Nd}";
            case 'b' -> BOUNDARY;
            default -> "\\" + escaped;
          });
    }
    return Pattern.compile(java.toString(), Pattern.UNIX_LINES);
  }

  /** {@code str.strip()}. */
  static String strip(String text) {
    return stripRight(stripLeft(text));
  }

  /** {@code str.lstrip()}. */
  static String stripLeft(String text) {
    return LEADING_SPACE.matcher(text).replaceFirst("");
  }

  /** {@code str.rstrip()}. */
  static String stripRight(String text) {
    return TRAILING_SPACE.matcher(text).replaceFirst("");
  }

  /**
   * {@code str.lower()}. A capital sigma at the end of a word has a small letter of its own; where
   * a word ends is Unicode's rule (The Unicode Standard, 3.13, Final_Sigma), not Java's.
   */
  static String lower(String text) {
    int[] letters = text.codePoints().toArray();
    StringBuilder lower = new StringBuilder();
    for (int i = 0; i < letters.length; i++) {
      if (letters[i] == 'Σ') {
        lower.append(isCased(letters, i, -1) && !isCased(letters, i, 1) ? 'ς' : 'σ');
      } else {
        lower.append(Character.toString(letters[i]).toLowerCase(Locale.ROOT));
      }
    }
    return lower.toString();
  }

  /** Whether the next letter in this direction, but for those without case, has an upper case. */
  private static boolean isCased(int[] letters, int from, int direction) {
    int i = from + direction;
    while (i >= 0 && i < letters.length && isCaseIgnorable(letters[i])) {
      i += direction;
    }
    return i >= 0
        && i < letters.length
        && (Character.isLowerCase(letters[i])
            || Character.isUpperCase(letters[i])
            || Character.isTitleCase(letters[i]));
  }

  private static boolean isCaseIgnorable(int letter) {
    return switch (Character.getType(letter)) {
      case Character.NON_SPACING_MARK,
          Character.ENCLOSING_MARK,
          Character.FORMAT,
          Character.MODIFIER_LETTER,
          Character.MODIFIER_SYMBOL ->
          true;
      default -> INSIDE_WORDS.indexOf(letter) >= 0;
    };
  }

  /**
   * {@code urllib.parse.unquote_plus}: escapes of one run of ASCII are decoded together as UTF-8,
   * what is not UTF-8 becomes U+FFFD.
   */
  static String unquotePlus(String text) {
    String spaced = text.replace('+', ' ');
    if (spaced.indexOf('%') < 0) {
      return spaced;
    }
    return ASCII.matcher(spaced).replaceAll(run -> Matcher.quoteReplacement(unquote(run.group())));
  }

  private static String unquote(String ascii) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int i = 0; i < ascii.length(); i++) {
      int high = i + 2 < ascii.length() ? Character.digit(ascii.charAt(i + 1), 16) : -1;
      int low = i + 2 < ascii.length() ? Character.digit(ascii.charAt(i + 2), 16) : -1;
      if (ascii.charAt(i) == '%' && high >= 0 && low >= 0) {
        bytes.write(high * 16 + low);
        i += 2;
      } else {
        bytes.write(ascii.charAt(i));
      }
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
