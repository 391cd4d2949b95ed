package io.xfuser.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HubSettingsTest {
  private @TempDir Path home = Path.of("");

  @Test
  void withoutAnEnvironmentTheHubIsHuggingFacesAndTheCacheTheUsers() {
    HubSettings settings = HubSettings.fromEnvironment(Map.of());
    assertThat(settings.endpoint()).isEqualTo(URI.create("https://huggingface.co"));
    assertThat(settings.cache())
        .isEqualTo(Path.of(System.getProperty("user.home"), ".cache/huggingface/hub"));
    assertThat(settings.offline()).isFalse();
  }

  @Test
  void theCacheIsThatOfTheNearestVariable() {
    assertThat(cache(Map.of("XDG_CACHE_HOME", "/x"))).isEqualTo(Path.of("/x/huggingface/hub"));
    assertThat(cache(Map.of("HF_HOME", "/h", "XDG_CACHE_HOME", "/x"))).isEqualTo(Path.of("/h/hub"));
    assertThat(cache(Map.of("HF_HUB_CACHE", "/c", "HF_HOME", "/h"))).isEqualTo(Path.of("/c"));
    assertThat(cache(Map.of("HF_HOME", "~/h")))
        .isEqualTo(Path.of(System.getProperty("user.home"), "h/hub"));
  }

  @Test
  void theTokenIsTheVariablesElseTheFiles() throws IOException {
    Files.writeString(home.resolve("token"), "hf_file\n");
    Map<String, String> file = Map.of("HF_HOME", home.toString());
    assertThat(HubSettings.fromEnvironment(file).token()).isEqualTo("hf_file");
    Map<String, String> both = Map.of("HF_HOME", home.toString(), "HF_TOKEN", " hf_mine ");
    assertThat(HubSettings.fromEnvironment(both).token()).isEqualTo("hf_mine");
    assertThat(HubSettings.fromEnvironment(Map.of("HF_HOME", "/nowhere")).token()).isNull();
  }

  @Test
  void theTokenIsNeverShown() {
    assertThat(HubSettings.fromEnvironment(Map.of("HF_TOKEN", "hf_mine")).toString())
        .doesNotContain("hf_mine");
    assertThatThrownBy(() -> HubSettings.fromEnvironment(Map.of("HF_TOKEN", "hf_mi\nne")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the hub's token has characters that no token has");
  }

  @Test
  void theEndpointIsAnHttpAddress() {
    assertThat(
            HubSettings.fromEnvironment(Map.of("HF_ENDPOINT", "http://mirror:81/hf/")).endpoint())
        .isEqualTo(URI.create("http://mirror:81/hf"));
    assertThatThrownBy(() -> HubSettings.fromEnvironment(Map.of("HF_ENDPOINT", "mirror")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("HF_ENDPOINT mirror is no http address");
  }

  @Test
  void offlineIsTrueInTheWaysOfPython() {
    assertThat(HubSettings.fromEnvironment(Map.of("HF_HUB_OFFLINE", "yes")).offline()).isTrue();
    assertThat(HubSettings.fromEnvironment(Map.of("HF_HUB_OFFLINE", "0")).offline()).isFalse();
  }

  private static Path cache(Map<String, String> environment) {
    return HubSettings.fromEnvironment(environment).cache();
  }
}
