package io.xfuser.models.internal.text;

import java.util.List;
import java.util.regex.Pattern;

/**
 * Prepares captions as PixArt's models were trained on them: diffusers' {@code
 * PixArtAlphaPipeline._text_preprocessing}, the same in PixArt-Σ and DeepFloyd IF.
 *
 * <p>Cleaning removes addresses, HTML, Chinese characters, file names, article numbers, phrases of
 * shops and most punctuation. The one thing of the original that is left out is ftfy's repair of
 * text that was decoded with the wrong encoding.
 */
public final class CaptionCleaner {
  private static final String DOMAIN =
      "[a-zA-Z0-9.\\-]+[.](?:com|co|ru|net|org|edu|gov|it)[\\w/-]*\\b\\/?(?!@)))";
  private static final String FILE_TYPE = "(?:png|jpg|jpeg|bmp|webp|eps|pdf|apk|mp4)";

  private static final List<Replacement> MARKUP =
      List.of(
          step("<person>", "person"),
          step("\\b((?:https?:(?:\\/{1,3}|[a-zA-Z0-9%])|" + DOMAIN, ""),
          step("\\b((?:www:(?:\\/{1,3}|[a-zA-Z0-9%])|" + DOMAIN, ""));

  private static final List<Replacement> CHARACTERS =
      List.of(
          // @nickname
          step("@[\\w\\d]+\\b", ""),
          // CJK strokes, Katakana extensions, enclosed and compatibility forms, ideographs
          step("[\\u31c0-\\u9fff]+", ""),
          // every dash
          step(
              "[\\u002d\\u058a\\u05be\\u1400\\u1806\\u2010-\\u2015\\u2e17\\u2e1a\\u2e3a\\u2e3b"
                  + "\\u2e40\\u301c\\u3030\\u30a0\\ufe31\\ufe32\\ufe58\\ufe63\\uff0d]+",
              "-"),
          // every quotation mark
          step("[`\u00b4\u00ab\u00bb\u201c\u201d\u00a8]", "\""),
          step("[\u2018\u2019]", "'"),
          step("&quot;?", ""),
          step("&amp", ""),
          // addresses of machines, article numbers, "\n" as two characters, #123
          step("\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}", " "),
          step("\\d:\\d\\d\\s+$", ""),
          step("\\\\n", " "),
          step("#\\d{1,3}\\b", ""),
          step("#\\d{5,}\\b", ""),
          step("\\b\\d{6,}\\b", ""),
          // names of files; the look-behind, not in the original, only saves quadratic time
          step("(?<!\\S)[\\S]+\\." + FILE_TYPE, ""),
          step("[\\\"\\']{2,}", "\""),
          step("[\\.]{2,}", " "),
          step(
              "[#\u00ae\u2022\u00a9\u2122&@\u00b7\u00ba\u00bd\u00be\u00bf\u00a1\u00a7~)(\\]\\[}{|\\\\/*]+",
              " "),
          step("\\s+\\.\\s+", " "));

  private static final Pattern BLANKS = PythonText.pattern("\\s+");

  private static final Pattern HYPHEN = Pattern.compile("[-_]");
  private static final int HYPHENS_KEPT = 3;

  private static final List<Replacement> PHRASES =
      List.of(
          // jc6640, jc6640vc, 6640vc231
          step("\\b[a-zA-Z]{1,3}\\d{3,15}\\b", ""),
          step("\\b[a-zA-Z]+\\d+[a-zA-Z]+\\b", ""),
          step("\\b\\d+[a-zA-Z]+\\d+\\b", ""),
          step("(worldwide\\s+)?(free\\s+)?shipping", ""),
          step("(free\\s)?download(\\sfree)?", ""),
          step("\\bclick\\b\\s(?:for|on)\\s\\w+", ""),
          step("\\b" + FILE_TYPE + "(\\simage[s]?)?", ""),
          step("\\bpage\\s+\\d+\\b", ""),
          step("\\b\\d*[a-zA-Z]+\\d+[a-zA-Z]+\\d+[a-zA-Z\\d]*\\b", " "),
          // 20x30, with the Latin letter, the Cyrillic one or the sign
          step("\\b\\d+\\.?\\d*[x\u0445\u00d7]\\d+\\.?\\d*\\b", ""),
          step("\\b\\s+\\:\\s+", ": "),
          step("(\\D[,\\./])\\b", "$1 "),
          step("\\s+", " "),
          step("^[\\\"\\']([\\w\\W]+)[\\\"\\']$", "$1"),
          step("^[\\'\\_,\\-\\:;]", ""),
          step("[\\'\\_,\\-\\:\\-\\+]$", ""),
          step("^\\.\\S+$", ""));

  private CaptionCleaner() {}

  /** Cleans {@code caption}: {@code clean_caption=True}, which applies its rules twice. */
  public static String clean(String caption) {
    return cleanOnce(cleanOnce(caption));
  }

  /** Lower case without surrounding space: {@code clean_caption=False}. */
  public static String lowerCase(String caption) {
    return PythonText.strip(PythonText.lower(caption));
  }

  /**
   * Repairs {@code caption} and collapses its blanks, and leaves its words: {@code prompt_clean}.
   */
  public static String repaired(String caption) {
    String plain = HtmlReferences.unescape(HtmlReferences.unescape(TextFixes.fix(caption)));
    return PythonText.strip(BLANKS.matcher(PythonText.strip(plain)).replaceAll(" "));
  }

  private static String cleanOnce(String caption) {
    String text = PythonText.lower(PythonText.strip(PythonText.unquotePlus(caption)));
    text = apply(CHARACTERS, HtmlText.of(apply(MARKUP, text)));
    if (HYPHEN.matcher(text).results().count() > HYPHENS_KEPT) {
      text = HYPHEN.matcher(text).replaceAll(" ");
    }
    text = HtmlReferences.unescape(HtmlReferences.unescape(TextFixes.fix(text)));
    return PythonText.strip(apply(PHRASES, text));
  }

  private static String apply(List<Replacement> steps, String text) {
    String result = text;
    for (Replacement step : steps) {
      result = step.pattern().matcher(result).replaceAll(step.replacement());
    }
    return result;
  }

  private static Replacement step(String regex, String replacement) {
    return new Replacement(PythonText.pattern(regex), replacement);
  }

  private record Replacement(Pattern pattern, String replacement) {}
}
