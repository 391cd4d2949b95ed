package io.xfuser.models.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.xfuser.failure.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class T5TokenizerTest {
  private static final Path PIECES = TextFixtures.path("pixart_sigma_tiny/tokenizer/spiece.model");

  record Reference(JsonNode json) {
    @Override
    public String toString() {
      return json.path("tokenizer").asText() + " legacy " + json.path("legacy").asText();
    }
  }

  static Stream<Reference> references() {
    return TextFixtures.json("text/tokens.json")
        .path("tokenizers")
        .valueStream()
        .map(Reference::new);
  }

  @ParameterizedTest
  @MethodSource("references")
  void idsEqualThoseOfTransformers(Reference reference, @TempDir Path temporary)
      throws IOException {
    JsonNode json = reference.json();
    List<String> texts =
        TextFixtures.json("text/tokens.json")
            .path("texts")
            .valueStream()
            .map(JsonNode::asText)
            .toList();
    int length = json.path("max_length").asInt();
    try (T5Tokenizer tokenizer = T5Tokenizer.open(directory(json, temporary))) {
      TokenIds ids = tokenizer.encode(texts, length);
      for (int i = 0; i < texts.size(); i++) {
        String whole = json.path("ids").path(i).asText();
        long[] expected = numbers(json.path("truncated").path(String.valueOf(i)).asText(whole));
        assertThat(ids.ids()[i]).as(texts.get(i)).isEqualTo(Arrays.copyOf(expected, length));
        assertThat(Arrays.stream(ids.mask()[i]).sum()).isEqualTo(expected.length);
        assertThat(ids.mask()[i][expected.length - 1]).isEqualTo(1);
      }
    }
  }

  /** The directory, or, where it was made with other settings, one with these settings. */
  private static Path directory(JsonNode json, Path temporary) throws IOException {
    if (json.path("legacy").asBoolean()) {
      return TextFixtures.path(json.path("tokenizer").asText());
    }
    Files.copy(PIECES, temporary.resolve("spiece.model"));
    Files.writeString(
        temporary.resolve("tokenizer_config.json"), "{\"legacy\": false, \"extra_ids\": 0}");
    return temporary;
  }

  @Test
  void settingsFromBeforeTheListOfAddedTokensAreUnderstood(@TempDir Path directory)
      throws IOException {
    Files.copy(PIECES, directory.resolve("spiece.model"));
    Files.writeString(
        directory.resolve("special_tokens_map.json"),
        "{\"additional_special_tokens\": [\"<extra_id_0>\", \"<extra_id_1>\"]}");
    Files.writeString(directory.resolve("tokenizer_config.json"), "{\"extra_ids\": 2}");
    Files.writeString(directory.resolve("added_tokens.json"), "{\"<style>\": 5000}");
    try (T5Tokenizer tokenizer = T5Tokenizer.open(directory);
        T5Tokenizer plain = T5Tokenizer.open(TextFixtures.path("pixart_sigma_tiny/tokenizer"))) {
      long[] fox = plain.encode(List.of("fox"), 2).ids()[0];
      // the last sentinel follows the 1,700 pieces, and sentinels take the space beside them
      assertThat(tokenizer.encode(List.of("<extra_id_0> fox <style><extra_id_1>"), 6).ids()[0])
          .containsExactly(1701, fox[0], 5000, 1700, 1, 0);
    }
  }

  @Test
  void anUnpairedSurrogateIsNoCrash() {
    for (String name : List.of("pixart_sigma_tiny", "pixart_alpha_tiny")) {
      try (T5Tokenizer tokenizer = T5Tokenizer.open(TextFixtures.path(name + "/tokenizer"))) {
        assertThat(tokenizer.encode(List.of("a fox \ud83d"), 12).ids()[0]).contains(1);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "no model", "\n\5hello"})
  void aFileThatIsNoModelIsNamed(String content, @TempDir Path directory) throws IOException {
    Files.writeString(directory.resolve("spiece.model"), content);
    assertThatThrownBy(() -> T5Tokenizer.open(directory))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("spiece.model is not a SentencePiece model");
  }

  @Test
  void aDescriptionThatIsNoneIsNamed(@TempDir Path directory) throws IOException {
    Files.writeString(directory.resolve("tokenizer.json"), "{\"added_tokens\": []}");
    assertThatThrownBy(() -> T5Tokenizer.open(directory))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("tokenizer.json does not describe a tokenizer");
  }

  @Test
  void aDirectoryWithoutAVocabularyIsNamed(@TempDir Path directory) {
    assertThatThrownBy(() -> T5Tokenizer.open(directory))
        .isInstanceOf(ModelException.class)
        .hasMessage(directory + " has no spiece.model and no tokenizer.json");
  }

  private static long[] numbers(String text) {
    return Arrays.stream(text.split(" ")).mapToLong(Long::parseLong).toArray();
  }
}
