package io.xfuser.models.internal.hunyuanvideo15;

import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What is to be written in a video: a prompt's quoted texts. */
final class GlyphTexts {
  /** A dot is any character but a line feed, as in Python. */
  private static final Pattern QUOTED = Pattern.compile("\"(.*?)\"|“(.*?)”", Pattern.UNIX_LINES);

  private GlyphTexts() {}

  /**
   * What is told of the quoted texts of {@code prompt}, each of them once; empty if there is none.
   * Source: diffusers {@code pipeline_hunyuan_video1_5.py} ({@code extract_glyph_texts}).
   */
  static Optional<String> of(String prompt) {
    Set<String> texts = new LinkedHashSet<>();
    for (Matcher matcher = QUOTED.matcher(prompt); matcher.find(); ) {
      String plain = matcher.group(1);
      String curly = matcher.group(2);
      texts.add(plain != null && !plain.isEmpty() ? plain : curly == null ? "" : curly);
    }
    return texts.isEmpty()
        ? Optional.empty()
        : Optional.of(
            texts.stream().map("Text \"%s\""::formatted).collect(Collectors.joining(". ")) + ". ");
  }
}
