package io.xfuser.models.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class CaptionCleanerTest {
  record Caption(JsonNode json) {
    String text() {
      return json.path("caption").asText();
    }

    boolean wronglyDecoded() {
      return json.path("category").asText().equals("mojibake");
    }

    @Override
    public String toString() {
      return json.toString();
    }
  }

  static Stream<Caption> captions() {
    return TextFixtures.json("text/captions.json").valueStream().map(Caption::new);
  }

  @ParameterizedTest
  @MethodSource("captions")
  void aCaptionIsCleanedAsByDiffusers(Caption caption) {
    List<String> expected = List.of(caption.json().path("cleaned").asText());
    if (caption.wronglyDecoded()) {
      expected = List.of(expected.get(0), caption.json().path("cleaned_without_ftfy").asText());
    }
    assertThat(CaptionCleaner.clean(caption.text())).isIn(expected);
  }

  @Test
  void theFixtureIsLargeEnough() {
    assertThat(captions().filter(caption -> !caption.wronglyDecoded())).hasSizeGreaterThan(300);
  }

  @Test
  void withoutCleaningOnlyCaseAndSurroundingSpaceChange() {
    assertThat(CaptionCleaner.lowerCase(" \u001c\u3000A <b>Fox</b>\u00a0&amp; ÉTÉ ΣΑΣ İ\n"))
        .isEqualTo("a <b>fox</b>\u00a0&amp; été σας i\u0307");
  }

  // What html.parser and BeautifulSoup make of each, beyond the captions of the fixture.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "<p>hi<script>if (a<b) {x()} </script> there</p> | hi there",
        "<ruby>k<rp>(</rp><rt>kan<b>x</rt>)z</ruby> | k)z",
        "<img alt=\"a &quot;b&quot; > c\">d | d",
        "a <b and no end | a <b and no end",
        "<a href=\"open>x</a> y | <a href=\"open>x y",
        "x<![cdata[ y<b> ]]>z | x y<b> z",
        "&ampfoo; &notit; &bogus; &copy2024 r&b; | &ampfoo &notit &bogus &copy2024 r&b",
        "&amp;lt; &#38;lt; &#150; &#0; &#x110000; | &lt; &lt; – \ufffd \ufffd",
        "the best of r&b | the best of rb",
        "<table>a<tr>b</table>c<!-- d --><!doctype e><?f?> | abc"
      })
  void htmlHasTheTextThatBeautifulSoupFinds(String html, String text) {
    assertThat(HtmlText.of(html)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a+b%20c%C3%A9 | a b cé",
        "100%, %zz %e4%bd%a0 | 100%, %zz 你",
        "%ff%41 é%C3 | \ufffdA é\ufffd"
      })
  void escapesOfAddressesAreDecodedAsByUnquotePlus(String text, String decoded) {
    assertThat(PythonText.unquotePlus(text)).isEqualTo(decoded);
  }

  @Test
  void wordsEndWherePythonEndsThem() {
    // a combining mark is no \w in Python, a letter beyond U+FFFF is one
    assertThat(PythonText.pattern("\\bx\\b").matcher("\ud840\udc00x").find()).isFalse();
    assertThat(PythonText.pattern("\\bx\\b").matcher("x\u0301").find()).isTrue();
    assertThat(PythonText.pattern("\\d$").matcher("٣\n").find()).isTrue();
    assertThat(PythonText.pattern("\\s").matcher("\u001c").find()).isTrue();
  }
}
