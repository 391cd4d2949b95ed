package io.xfuser.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ArgumentException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

  @ParameterizedTest
  @CsvSource({"../../x, main", "org/name, ../x", "org/name, 'a\\b'", "org\\name, main", "name, v1"})
  void noOtherNameCanBeMade(String repository, String revision) {
    assertThatThrownBy(() -> new ModelName(repository, revision))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(
            "models of the hub are named org/name or org/name@revision, not "
                + repository
                + "@"
                + revision);
  }

  @Test
  @SuppressWarnings("NullAway") // as callers without it may
  void aNameHasBothParts() {
    assertThatThrownBy(() -> new ModelName(null, null))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("the repository of a model must be given, but is null");
    assertThatThrownBy(() -> new ModelName("org/name", null))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("the revision of org/name must be given, but is null");
  }
}
