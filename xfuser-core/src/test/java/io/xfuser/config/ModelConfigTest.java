package io.xfuser.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelConfigTest {
  @TempDir Path downloads;

  @Test
  void aDirectoryIsTakenAsItIs() {
    assertThat(ModelConfig.builder(downloads).build().directory()).contains(downloads);
  }

  @Test
  void aNameIsFoundBelowTheDownloads() throws IOException {
    Path model = Files.createDirectories(downloads.resolve("org").resolve("model"));
    assertThat(named("org/model").directory()).contains(model);
  }

  @Test
  void aModelThatIsNoDirectoryIsNone() throws IOException {
    Path file = Files.createFile(downloads.resolve("file"));
    assertThat(ModelConfig.builder(file).build().directory()).isEmpty();
    assertThat(named("org/model").directory()).isEmpty();
  }

  private ModelConfig named(String name) {
    return ModelConfig.builder(Path.of(name)).downloadDir(downloads).build();
  }
}
