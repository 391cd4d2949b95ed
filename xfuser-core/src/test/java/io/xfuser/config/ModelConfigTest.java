package io.xfuser.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelConfigTest {
  @TempDir Path downloads;

  @Test
  void aDirectoryIsTakenAsItIs() {
    assertThat(ModelConfig.of(downloads).directory()).isEqualTo(downloads);
  }

  @Test
  void aNameIsFoundBelowTheDownloads() throws IOException {
    Path model = Files.createDirectories(downloads.resolve("org").resolve("model"));
    assertThat(named("org/model").directory()).isEqualTo(model);
  }

  @Test
  void aNameIsFoundInTheCacheOfHuggingfaceHub() throws IOException {
    Path repository = downloads.resolve("models--org--model");
    Path snapshot = Files.createDirectories(repository.resolve("snapshots").resolve("abc"));
    Files.createDirectories(repository.resolve("snapshots").resolve("older"));
    Files.createDirectories(repository.resolve("refs"));
    Files.writeString(repository.resolve("refs").resolve("main"), "abc\n");
    assertThat(named("org/model").directory()).isEqualTo(snapshot);
  }

  @Test
  void aModelThatIsNowhereIsRejected() {
    assertThatThrownBy(() -> ModelConfig.of(Path.of("org/model")).directory())
        .isInstanceOf(ArgumentException.class)
        .hasMessage("there is no model directory org/model; models are not downloaded");
    assertThatThrownBy(() -> named("org/model").directory())
        .hasMessage(
            "there is no model directory org/model, nor one of that name in "
                + downloads
                + "; models are not downloaded");
  }

  private ModelConfig named(String name) {
    return new ModelConfig(Path.of(name), downloads, false, null);
  }
}
