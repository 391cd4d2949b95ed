package io.xfuser.models.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.failure.ModelException;
import io.xfuser.models.contract.CoveringArray;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizersTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  record Case(JsonNode json) {
    @Override
    public String toString() {
      return "%s of %s %s"
          .formatted(
              json.path("class").asText(), json.path("directory").asText(), json.path("settings"));
    }
  }

  static Stream<Case> cases() {
    return TextFixtures.json("tokenizers/ids.json").path("cases").valueStream().map(Case::new);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void idsEqualThoseOfTransformers(Case reference, @TempDir Path temporary) throws IOException {
    JsonNode json = reference.json();
    List<String> texts =
        TextFixtures.json("tokenizers/ids.json")
            .path("texts")
            .valueStream()
            .map(JsonNode::asText)
            .toList();
    assertThat(texts).hasSizeGreaterThan(150);
    int length = json.path("max_length").asInt();
    long padding = json.path("padding").asLong();
    Set<Integer> ties =
        json.path("ties").valueStream().map(JsonNode::asInt).collect(Collectors.toSet());
    Path directory = copy(json, temporary);
    SoftAssertions softly = new SoftAssertions();
    try (Tokenizer tokenizer = Tokenizers.open(directory, json.path("class").asText())) {
      TokenIds ids = tokenizer.encode(texts, length);
      for (int i = 0; i < texts.size(); i++) {
        String repaired = json.path("ids").path(i).asText();
        String row = json.path("without_repair").path(String.valueOf(i)).asText(repaired);
        long[] expected =
            Pattern.compile(" ")
                .splitAsStream(row)
                .filter(id -> !id.isEmpty())
                .mapToLong(Long::parseLong)
                .toArray();
        long[] padded = Arrays.copyOf(expected, length);
        Arrays.fill(padded, expected.length, length, padding);
        long[] got = ids.ids()[i];
        if (ties.contains(i)) {
          Arrays.sort(got);
          Arrays.sort(padded);
        }
        softly.assertThat(got).as(texts.get(i)).isEqualTo(padded);
        softly.assertThat(Arrays.stream(ids.mask()[i]).sum()).isEqualTo(expected.length);
      }
    }
    softly.assertAll();
  }

  private static Path copy(JsonNode reference, Path directory) throws IOException {
    Path source = TextFixtures.path(reference.path("directory").asText());
    try (Stream<Path> files = Files.list(source)) {
      for (Path file : files.toList()) {
        Files.copy(file, directory.resolve(file.getFileName()));
      }
    }
    Path settings = directory.resolve("tokenizer_config.json");
    ObjectNode merged = (ObjectNode) JSON.readTree(settings.toFile());
    merged.setAll((ObjectNode) reference.path("settings"));
    JSON.writeValue(settings.toFile(), merged);
    return directory;
  }

  @Test
  void theLongestTextIsKnownWhereTheSettingsHaveIt() {
    try (Tokenizer clip = Tokenizers.open(TextFixtures.path("tokenizers/clip_g"), "CLIPTokenizer");
        Tokenizer mt5 = Tokenizers.open(TextFixtures.path("tokenizers/mt5"), "MT5Tokenizer")) {
      assertThat(clip.modelMaxLength()).hasValue(77);
      assertThat(mt5.modelMaxLength()).isEmpty();
    }
  }

  @Test
  void noRoomForTheMarksIsRefused() {
    try (Tokenizer bert = Tokenizers.open(TextFixtures.path("tokenizers/bert"), "BertTokenizer")) {
      assertThat(bert.encode(List.of("a fox"), 2).ids()[0]).containsExactly(2, 3);
      assertThatThrownBy(() -> bert.encode(List.of("a fox"), 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("at least 2 tokens are needed, got 1");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"CLIPTokenizer", "BertTokenizer", "MT5Tokenizer"})
  void anUnpairedSurrogateIsNoCrash(String name) {
    String folder =
        name.equals("CLIPTokenizer") ? "clip_l" : name.equals("BertTokenizer") ? "bert" : "mt5";
    for (String kind : List.of(name, name + "Fast")) {
      try (Tokenizer tokenizer = Tokenizers.open(TextFixtures.path("tokenizers/" + folder), kind)) {
        assertThat(tokenizer.encode(List.of("a fox \ud83d"), 12).length()).isEqualTo(12);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"clip_l, CLIPTokenizer", "bert, BertTokenizer", "mt5, MT5Tokenizer"})
  void aVeryLongTextIsCutLikeAnyOther(String folder, String name) {
    try (Tokenizer tokenizer = Tokenizers.open(TextFixtures.path("tokenizers/" + folder), name)) {
      long[][] few = tokenizer.encode(List.of("<|ENDOFTEXT|> fox! ".repeat(100)), 77).ids();
      String text = "<|ENDOFTEXT|> fox! ".repeat(CoveringArray.ALL ? 20_000 : 4_000);
      long[][] many = tokenizer.encode(List.of(text), 77).ids();
      assertThat(many).isDeepEqualTo(few);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "CLIPTokenizer, has no vocab.json and no tokenizer.json",
    "BertTokenizer, has no vocab.txt and no tokenizer.json",
    "T5TokenizerFast, has no spiece.model and no tokenizer.json",
    "LlamaTokenizer, ': the tokenizer''s class is \"LlamaTokenizer\"; supported are BertTokenizer,'"
  })
  void aMissingVocabularyOrAnUnknownClassIsNamed(
      String name, String message, @TempDir Path directory) {
    assertThatThrownBy(() -> Tokenizers.open(directory, name))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith(directory.toString())
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "vocab.json | [] | vocab.json is not a JSON object",
        "vocab.json | {\"a\": \"b\"} | vocab.json: the id of \"a\" is \"b\", not a whole number",
        "vocab.json | {\"a\": 1} | merges no two tokens of vocab.json to another",
        "merges.txt | '' | vocab.json has no token <none>",
        "tokenizer_config.json | {\"padding_side\": \"left\"} | padding_side \"left\" is not"
            + " supported",
      })
  void brokenFilesAreNamed(String file, String content, String message, @TempDir Path directory)
      throws IOException {
    JsonNode reference =
        JSON.createObjectNode()
            .put("directory", "tokenizers/clip_g")
            .set("settings", JSON.createObjectNode());
    copy(reference, directory);
    Files.writeString(directory.resolve(file), content);
    if (file.equals("merges.txt")) {
      Files.delete(directory.resolve("special_tokens_map.json"));
      Files.writeString(directory.resolve("tokenizer_config.json"), "{\"unk_token\": \"<none>\"}");
    }
    assertThatThrownBy(() -> Tokenizers.open(directory, "CLIPTokenizer"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(directory.toString())
        .hasMessageContaining(message);
  }

  @Test
  void aVocabularyWithoutTheUnknownWordIsRefused(@TempDir Path directory) throws IOException {
    Files.writeString(directory.resolve("vocab.txt"), "[PAD]\n[CLS]\n[SEP]\nfox\n");
    assertThatThrownBy(() -> Tokenizers.open(directory, "BertTokenizer"))
        .isInstanceOf(ModelException.class)
        .hasMessage(directory.resolve("vocab.txt") + " has no token [UNK]");
  }
}
