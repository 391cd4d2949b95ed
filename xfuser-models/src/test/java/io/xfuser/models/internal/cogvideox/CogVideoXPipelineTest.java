package io.xfuser.models.internal.cogvideox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.contract.Requests;
import io.xfuser.nn.Patchify;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Defaults, sizes, frames and settings that CogVideoX accepts and refuses. */
class CogVideoXPipelineTest {
  private static final Path TWO = Requests.directory("cogvideox_tiny");
  private static final Path FIVE = Requests.directory("cogvideox_5b_tiny");
  private static final Path LATER = Requests.directory("cogvideox15_tiny");
  private static final InputConfig FOX =
      InputConfig.builder("a fox").maxSequenceLength(CogVideoXInputs.TEXT).build();

  @Test
  void defaultsAreDiffusers() {
    GenerationRequest request = Requests.resolve(TWO, FOX);
    assertThat(request.size()).isEqualTo(new Size(32, 48));
    assertThat(request.latents())
        .isEqualTo(
            new LatentShape(4, 3, 4, 6, new Patchify(2), LatentShape.Layout.CLIP).decodedTo(9, 8));
    assertThat(request.scheduler().steps()).isEqualTo(50);
    assertThat(request.guidance().scale()).isEqualTo(6);
    InputConfig usual = InputConfig.builder("a fox").build();
    assertThat(Requests.resolve(FIVE, usual).text().maxSequenceLength()).isEqualTo(226);
  }

  /** Of an even number of frames of latents none stays alone. */
  @ParameterizedTest
  @CsvSource({"1, 1, 1", "4, 1, 1", "5, 2, 8", "8, 2, 8", "9, 3, 9", "16, 4, 16", "49, 13, 49"})
  void framesAreThoseThatDiffusersDecodes(int asked, int latents, int drawn) {
    LatentShape shape = frames(TWO, asked);
    assertThat(shape.frames()).isEqualTo(latents);
    assertThat(shape.decodableFrames()).isEqualTo(latents);
    assertThat(shape.pixelFrames()).isEqualTo(drawn);
  }

  @ParameterizedTest
  @CsvSource({"1, 2, 1, 1", "5, 2, 0, 8", "9, 4, 1, 9", "81, 22, 1, 81"})
  void tokensOfTwoFramesAreFilledUp(int asked, int latents, int padding, int drawn) {
    LatentShape shape = frames(LATER, asked);
    assertThat(shape.frames()).isEqualTo(latents);
    assertThat(shape.padding()).isEqualTo(padding);
    assertThat(shape.pixelFrames()).isEqualTo(drawn);
    assertThat(shape.fps()).isEqualTo(16);
  }

  private static LatentShape frames(Path directory, int asked) {
    return Requests.resolve(directory, FOX.toBuilder().numFrames(asked).build()).latents();
  }

  @Test
  void theWeightOfThePromptChangesWithTheSteps() {
    assertThat(Requests.resolve(FIVE, FOX).guidance().course()).isZero();
    InputConfig dynamic =
        FOX.toBuilder().set(InputConfig.USE_DYNAMIC_CFG, true).numInferenceSteps(7).build();
    assertThat(Requests.resolve(FIVE, dynamic).guidance().course()).isEqualTo(7);
  }

  @Test
  void sizesThatItCannotDrawAreRefused() {
    assertThatThrownBy(() -> Requests.resolve(TWO, FOX.toBuilder().size(40, 48).build()))
        .hasMessage("height and width must be multiples of 16, but are 40 and 48");
    assertThatThrownBy(() -> Requests.resolve(LATER, FOX.toBuilder().size(96, 96).build()))
        .hasMessage(
            "6 × 6 tokens (rows × columns) of a frame are too many: cogvideox has places for 5 ×"
                + " 6");
    InputConfig long226 = FOX.toBuilder().maxSequenceLength(226).build();
    assertThatThrownBy(() -> Requests.resolve(TWO, long226))
        .hasMessage("max_sequence_length is 226, but this model takes 20 text tokens");
    assertThat(Requests.resolve(FIVE, long226).text().maxSequenceLength()).isEqualTo(226);
  }

  @Test
  void aTransformerThatBeginsWithAPictureIsRefused(@TempDir Path directory) throws IOException {
    DirectoryCopy.of(LATER, directory)
        .rewrite("transformer/config.json", "\"ofs_embed_dim\": null", "\"ofs_embed_dim\": 512");
    assertThatThrownBy(() -> Requests.resolve(directory, FOX))
        .isInstanceOf(ModelException.class)
        .hasMessageEndingWith("ofs_embed_dim is given: this transformer begins with a picture");
  }

  @Test
  void tokensOfTwoFramesAreToldTheirPlacesByRotation(@TempDir Path directory) throws IOException {
    String rotary = "\"use_rotary_positional_embeddings\": ";
    DirectoryCopy.of(LATER, directory)
        .rewrite("transformer/config.json", rotary + "true", rotary + "false");
    assertThatThrownBy(() -> Requests.resolve(directory, FOX))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("patch_size_t needs use_rotary_positional_embeddings");
  }

  @Test
  void aScheduleInFp32IsRefused(@TempDir Path directory) throws IOException {
    DirectoryCopy.of(FIVE, directory)
        .rewrite("scheduler/scheduler_config.json", "\"scaled_linear\"", "\"linear\"");
    assertThatThrownBy(() -> Requests.resolve(directory, FOX))
        .isInstanceOf(ModelException.class)
        .hasMessageEndingWith("beta_schedule is \"linear\"; supported are scaled_linear");
  }
}
