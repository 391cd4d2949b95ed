package io.xfuser.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelNameTest {
  @Test
  void aNameHasARevisionAfterAnAt() {
    assertThat(ModelName.parse("org/a.b-c")).contains(new ModelName("org/a.b-c", "main"));
    assertThat(ModelName.parse(Path.of("org/name@refs/pr/1")))
        .contains(new ModelName("org/name", "refs/pr/1"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "name",
        "./name",
        "../name",
        "org/..",
        "org/na..me",
        "org/a--b",
        "a/b/c",
        "/org/name",
        "org/name@",
        "org/name@../x",
        "org/name@a//b",
        "org/na me",
        "org/name@/x"
      })
  void whatIsNoNameIsNone(String text) {
    assertThat(ModelName.parse(text)).isEmpty();
  }
}
