package io.xfuser.models.internal.text;

import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.Element;
import org.jsoup.nodes.Node;
import org.jsoup.nodes.TextNode;
import org.jsoup.parser.ParseSettings;
import org.jsoup.parser.Parser;
import org.jsoup.parser.Tag;
import org.jsoup.parser.TagSet;
import org.jsoup.select.NodeFilter;

/**
 * The text of a piece of HTML as {@code BeautifulSoup(html, features="html.parser").text} gives it.
 *
 * <p>jsoup finds the tags, with its parser for XML because that one, like Python's, leaves elements
 * where they are. What Python does otherwise is prepared before: its rule for references, a {@code
 * <} that no {@code >} follows is text, and so is a tag whose quotation mark is never closed.
 */
final class HtmlText {
  private static final Set<String> SILENT = Set.of("script", "style", "template", "rt", "rp");

  // html.parser's entityref and charref, which need one more character after them
  private static final Pattern NAMED =
      Pattern.compile("&([a-zA-Z][-.a-zA-Z0-9]*)(?=[^a-zA-Z0-9]);?");
  private static final Pattern NUMERIC =
      Pattern.compile("&#([0-9]+|[xX][0-9a-fA-F]+)(?=[^0-9a-fA-F]);?");
  private static final Pattern LAST_LETTER = Pattern.compile("&(?=[a-zA-Z]\\z)");
  private static final Pattern CDATA = Pattern.compile("<!\\[cdata\\[", Pattern.CASE_INSENSITIVE);

  private static final Pattern OPEN_QUOTE =
      Pattern.compile(
          "<(?=[a-zA-Z][^<>\"']*(?:\"[^\"]*\"[^<>\"']*|'[^']*'[^<>\"']*)*"
              + "=(?:\"[^\"]*|'[^']*)\\z)[^>]*>");

  private static final Pattern UNCLOSED = Pattern.compile("<(?=[a-zA-Z/!?])(?:[^<]*(?=<))?");

  // Noncharacters stand for markup characters that are text, so that jsoup does not see them.
  private static final String MARKUP = "&<>\"'";
  private static final char HIDDEN = '\ufdd0';

  private HtmlText() {}

  /** The text between the tags of {@code html}; scripts, styles and comments have none. */
  static String of(String html) {
    if (html.indexOf('<') < 0 && html.indexOf('&') < 0) {
      return html;
    }
    Document document = parser().parseInput(hideReferences(hideUnfinished(html)), "");
    StringBuilder text = new StringBuilder();
    document.filter((node, depth) -> visit(node, text));
    return show(text);
  }

  private static NodeFilter.FilterResult visit(Node node, StringBuilder text) {
    if (node instanceof TextNode piece) {
      text.append(piece.getWholeText());
    } else if (node instanceof Element element && SILENT.contains(element.normalName())) {
      return NodeFilter.FilterResult.SKIP_ENTIRELY;
    }
    return NodeFilter.FilterResult.CONTINUE;
  }

  private static Parser parser() {
    TagSet tags = new TagSet();
    for (String name : new String[] {"script", "style"}) {
      tags.add(new Tag(name, Parser.NamespaceXml).set(Tag.Data));
    }
    return Parser.xmlParser().tagSet(tags).settings(ParseSettings.htmlDefault);
  }

  private static String hideReferences(String html) {
    String known = replace(html, NAMED, HtmlText::named);
    known = replace(known, NUMERIC, found -> numeric(found.group(1)));
    // Python's parser loses this one: "r&b" is "rb"
    known = LAST_LETTER.matcher(known).replaceFirst("");
    return CDATA.matcher(known.replace('&', HIDDEN)).replaceAll("<![CDATA[");
  }

  private static String named(MatchResult found) {
    Optional<String> characters = HtmlReferences.named(found.group(1));
    return hide(characters.orElse("&" + found.group(1)));
  }

  private static String numeric(String digits) {
    return hide(HtmlReferences.character(HtmlReferences.number(digits)));
  }

  private static String hideUnfinished(String html) {
    int last = html.lastIndexOf('>') + 1;
    return replace(html.substring(0, last), OPEN_QUOTE, found -> hide(found.group()))
        + replace(html.substring(last), UNCLOSED, found -> hide(found.group()));
  }

  private static String hide(String text) {
    StringBuilder hidden = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      int index = MARKUP.indexOf(c);
      hidden.append(index < 0 ? c : (char) (HIDDEN + index));
    }
    return hidden.toString();
  }

  private static String show(CharSequence hidden) {
    StringBuilder text = new StringBuilder();
    hidden
        .chars()
        .map(c -> c >= HIDDEN && c < HIDDEN + MARKUP.length() ? MARKUP.charAt(c - HIDDEN) : c)
        .forEach(c -> text.append((char) c));
    return text.toString();
  }

  private static String replace(
      String text, Pattern pattern, Function<MatchResult, String> replacement) {
    return pattern
        .matcher(text)
        .replaceAll(found -> Matcher.quoteReplacement(replacement.apply(found)));
  }
}
