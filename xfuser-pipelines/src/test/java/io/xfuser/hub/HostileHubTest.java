package io.xfuser.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.HubException;
import io.xfuser.failure.ModelException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a hub names, nothing is written outside the model's folder of the cache. */
class HostileHubTest extends HubServed {
  /** As it is put into JSON, and as it is shown. */
  static Stream<String> namesThatLeadElsewhere() {
    return Stream.of(
        "../evil.json",
        "vae/../../../../evil.json",
        "/evil.json",
        "vae//evil.json",
        "vae/./evil.json",
        "vae/.. /evil.json",
        "..\\\\evil.json",
        "vae/a\\u0000.json",
        "");
  }

  @ParameterizedTest
  @MethodSource("namesThatLeadElsewhere")
  void aListOfFilesThatLeadsElsewhereIsRefused(String name) {
    server.with(name, "{}".getBytes(UTF_8));
    assertThatThrownBy(() -> fetch(null))
        .isInstanceOf(HubException.class)
        .hasMessageStartingWith("the hub lists the impossible name");
  }

  @ParameterizedTest
  @ValueSource(strings = {"vae/a\\\\b.json", "vae/line\\nbreak.json", "C:evil.json"})
  void namesThatNoCacheCanKeepAreLeftOut(String name) throws IOException {
    server.with(name, "{}".getBytes(UTF_8));
    Path snapshot = fetch(null);
    assertThat(files(snapshot)).containsExactlyInAnyOrderElementsOf(TinyModel.NEEDED);
  }

  @ParameterizedTest
  @ValueSource(strings = {"../evil", "/evil", "vae/../../evil", "..", "a\\\\..\\\\evil"})
  void aComponentOutsideTheModelIsRefused(String component) {
    String index = new String(server.bytes("model_index.json"), UTF_8);
    server.with(
        "model_index.json", index.replace("\"vae\"", '"' + component + '"').getBytes(UTF_8));
    assertThatThrownBy(() -> fetch(null))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("has no folder");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../../evil.safetensors", "/evil.safetensors", "a\\\\evil.safetensors"})
  void anIndexOfShardsThatLeadsElsewhereIsRefused(String shard) {
    server.with(
        TinyModel.TRANSFORMER + ".safetensors.index.json",
        "{\"weight_map\": {\"a\": \"%s\"}}".formatted(shard).getBytes(UTF_8));
    assertThatThrownBy(() -> fetch(null))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("which is none in its folder");
  }

  @Test
  void settingsTooLargeToReadAreRefusedBeforeTheyCome() {
    server.with("tokenizer/vocab.json", new byte[1]);
    server.claim("tokenizer/vocab.json", 1L << 40);
    assertThatThrownBy(() -> fetch(null))
        .isInstanceOf(HubException.class)
        .hasMessage(
            "the hub's tokenizer/vocab.json has 1099511627776 bytes, too many for what is not"
                + " weights");
    assertThat(contentRequests()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "https://hub.example/a, http://hub.example/b",
    "https://hub.example/a, file:///etc/passwd",
    "http://hub.example/a, ftp://hub.example/b",
    "http://hub.example/a, mailto:b",
  })
  void redirectionsToWhereAnybodyReadsAreNotFollowed(URI from, String to) {
    assertThatThrownBy(() -> HubClient.redirected(from, to))
        .isInstanceOf(HubException.class)
        .hasMessage(from + " redirects to " + to + ", which is not followed from there");
  }

  @ParameterizedTest
  @CsvSource({
    "https://hub.example/a, /b, https://hub.example/b",
    "http://hub.example/a, https://cdn.example/b, https://cdn.example/b",
    "http://hub.example/a, http://cdn.example/b, http://cdn.example/b",
  })
  void otherRedirectionsAre(URI from, String to, URI end) throws IOException {
    assertThat(HubClient.redirected(from, to)).isEqualTo(end);
  }

  @AfterEach
  void nothingIsOutsideTheCache() throws IOException {
    Path folder = cache.resolve("models--org--tiny.model-1");
    try (Stream<Path> all = Files.walk(cache)) {
      assertThat(all.filter(Files::isSymbolicLink).toList())
          .allSatisfy(link -> assertThat(link.toRealPath()).startsWith(folder.toRealPath()));
    }
    assertThat(files(cache)).noneMatch(name -> name.contains("evil"));
    assertThat(cache.resolveSibling("evil.json")).doesNotExist();
    assertThat(Path.of("/evil.json")).doesNotExist();
  }
}
