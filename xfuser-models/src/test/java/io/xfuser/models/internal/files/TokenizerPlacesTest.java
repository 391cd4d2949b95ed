package io.xfuser.models.internal.files;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.models.internal.files.ModelFormat.TextSlot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerPlacesTest {
  private static final TextSlot THIRD = new TextSlot("_3", "", "", "t5xxl", true, Map.of());

  @TempDir Path pipeline;

  private Path tokenizer(String name) throws IOException {
    Path folder = Files.createDirectories(pipeline.resolve(name));
    Files.createFile(folder.resolve("spiece.model"));
    return folder.toAbsolutePath();
  }

  @Test
  void ofAPipelinesFolderItIsThatOfTheSameNumber() throws IOException {
    Path encoder = Files.createDirectories(pipeline.resolve("text_encoder_2"));
    Path file = Files.createFile(encoder.resolve("model.safetensors"));
    tokenizer("tokenizer_3"); // of another encoder
    assertThat(TokenizerPlaces.beside(encoder, THIRD)).isEmpty();
    Path own = tokenizer("tokenizer_2");
    assertThat(TokenizerPlaces.beside(encoder, THIRD)).contains(own);
    assertThat(TokenizerPlaces.beside(file, THIRD)).contains(own);
  }

  @Test
  void ofAFileElsewhereItLiesBesideByItsName() throws IOException {
    Path file = Files.createFile(pipeline.resolve("t5xxl.safetensors"));
    assertThat(TokenizerPlaces.beside(file, THIRD)).isEmpty();
    assertThat(TokenizerPlaces.beside(null, THIRD)).isEmpty();
    Path own = tokenizer("tokenizer_3");
    assertThat(TokenizerPlaces.beside(file, THIRD)).contains(own);
  }
}
