package io.xfuser.internal.failure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {
  @TempDir private Path folder = Path.of("");

  @Test
  void aFileThatIsNotWrittenToTheEndIsNotThereAndNamesTheReason() throws IOException {
    Path file = folder.resolve("new/report.json");
    assertThatThrownBy(
            () ->
                WholeFile.write(
                    file,
                    part -> {
                      Files.writeString(part, "half");
                      throw new IOException("No space left on device");
                    }))
        .isInstanceOf(IOException.class)
        .hasMessage(file + " cannot be written: No space left on device");
    assertThat(folder.resolve("new")).isEmptyDirectory();
    WholeFile.write(file, part -> Files.writeString(part, "one"));
    WholeFile.write(file, part -> Files.writeString(part, "whole"));
    assertThat(file).hasContent("whole");
  }

  @Test
  void twoThatWriteOneFileAtATimeDoNotMix() throws IOException {
    Path file = folder.resolve("preview.png");
    WholeFile.write(
        file,
        part -> {
          Files.writeString(part, "first begun");
          WholeFile.write(file, other -> Files.writeString(other, "first done"));
          assertThat(file).hasContent("first done");
          assertThat(part).hasContent("first begun");
        });
    assertThat(file).hasContent("first begun");
    assertThat(folder.toFile().list()).containsExactly("preview.png");
  }

  @Test
  void aFolderThatIsAFileIsNamed() throws IOException {
    Path file = Files.createFile(folder.resolve("file")).resolve("report.json");
    assertThatThrownBy(() -> WholeFile.write(file, part -> Files.writeString(part, "x")))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(file + " cannot be written: ")
        .hasMessageContaining(folder.resolve("file").toString());
  }

  @Test
  void aLinkStaysALink() throws IOException {
    Path target = Files.createFile(folder.resolve("target"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), target);
    WholeFile.write(link, part -> Files.writeString(part, "through it"));
    assertThat(link).isSymbolicLink();
    assertThat(target).hasContent("through it");
  }
}
