package io.xfuser.models.internal.vae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.model.VaeDecoder.DecodeOptions;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BrokenAutoencoderTest {
  private static final Path PLAIN = VaeFixtures.directory("vae_plain");

  @TempDir Path directory;
  private final NDManager manager = Torch.newManager();

  @BeforeEach
  void copy() throws IOException {
    Torch.prepareThread(1);
    Files.copy(PLAIN.resolve("config.json"), directory.resolve("config.json"));
    Files.copy(PLAIN.resolve(VaeFixtures.FILE), directory.resolve(VaeFixtures.FILE));
  }

  @AfterEach
  void close() {
    manager.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "AutoencoderKL" | "AutoencoderOobleck" | _class_name is "AutoencoderOobleck"; supported are AutoencoderDC, AutoencoderKL, AutoencoderKLCogVideoX, AutoencoderKLFlux2, AutoencoderKLHunyuanVideo15, AutoencoderKLQwenImage, AutoencoderKLTemporalDecoder, AutoencoderKLWan, AutoencoderTiny
          "silu" | "gelu" | act_fn gelu is not supported, only silu, swish
          "norm_num_groups": 3 | "norm_num_groups": 4 | norm_num_groups 4 does not divide the 6 channels of block_out_channels [6, 12]
          "layers_per_block": 2 | "layers_per_block": 0 | layers_per_block must be at least 1, not 0
          "scaling_factor": 0.7 | "scaling_factor": 0 | scaling_factor 0.0 and shift_factor 0.3 must be finite, the first not 0
          "scaling_factor": 0.7 | "scaling_factor": "x" | scaling_factor is "x", not a number
          "block_out_channels": [ | "block_out_channels": [ 3, | 2 up_block_types for 3 block_out_channels
          "UpDecoderBlock2D" | "AttnUpDecoderBlock2D" | up_block_types AttnUpDecoderBlock2D is not supported, only UpDecoderBlock2D
          """)
  void aSettingThatIsNotSupportedIsNamedWithItsFile(String from, String to, String sentence)
      throws IOException {
    Path file = directory.resolve("config.json");
    String text = Files.readString(file);
    assertThat(text).contains(from);
    Files.writeString(file, text.replaceFirst(Pattern.quote(from), to));
    assertThatThrownBy(this::open)
        .isInstanceOf(ModelException.class)
        .hasMessage(file + ": " + sentence);
  }

  @Test
  void aMissingSettingsFileIsNamed() throws IOException {
    Path file = directory.resolve("config.json");
    Files.delete(file);
    assertThatThrownBy(this::open).hasMessage(file + " does not exist");
  }

  @Test
  void aMissingWeightIsNamed() throws IOException {
    Map<String, NDArray> tensors = VaeFixtures.tensors(manager, PLAIN);
    tensors.remove("decoder.up_blocks.1.resnets.0.conv_shortcut.weight");
    assertThat(sentenceFor(tensors))
        .isEqualTo("has no tensor \"decoder.up_blocks.1.resnets.0.conv_shortcut.weight\"");
  }

  @Test
  void weightsThatTheDecoderDoesNotUseChangeNothing() throws IOException {
    NDArray latents = manager.ones(new Shape(1, 3, 4, 4));
    NDArray before = decode(latents);
    Map<String, NDArray> tensors = VaeFixtures.tensors(manager, PLAIN);
    tensors.put("decoder.mid_block.attentions.0.to_q.weight", manager.ones(new Shape(12, 12)));
    tensors.put("loss.logvar", manager.create(new long[] {1}));
    write(tensors);
    assertThat(decode(latents).toFloatArray()).isEqualTo(before.toFloatArray());
  }

  @Test
  void theMeansAndDeviationsOfLatentsChangeNothing() throws IOException {
    NDArray latents = manager.ones(new Shape(1, 3, 4, 4));
    NDArray before = decode(latents);
    Path file = directory.resolve("config.json");
    String text = Files.readString(file);
    text = text.replace("\"latents_mean\": null", "\"latents_mean\": [0.5, 1, 2]");
    Files.writeString(file, text.replace("\"latents_std\": null", "\"latents_std\": [2, 2, 2]"));
    assertThat(decode(latents).toFloatArray()).isEqualTo(before.toFloatArray());
  }

  private NDArray decode(NDArray latents) {
    try (AutoencoderKlDecoder decoder = open()) {
      return decoder.decode(manager, latents, new DecodeOptions(false, false));
    }
  }

  @Test
  void aWeightOfAnotherShapeIsNamedWithBothShapes() throws IOException {
    Map<String, NDArray> tensors = VaeFixtures.tensors(manager, PLAIN);
    tensors.put("decoder.conv_in.weight", manager.ones(new Shape(12, 4, 3, 3)));
    assertThat(sentenceFor(tensors))
        .contains("decoder.conv_in.weight", "[12, 4, 3, 3]", "[12, 3, 3, 3]");
  }

  @Test
  void latentsOfAnotherModelAreRejectedWithTheirShape() {
    NDArray latents = manager.ones(new Shape(1, 4, 5, 5));
    try (AutoencoderKlDecoder decoder = open()) {
      assertThatThrownBy(() -> decoder.decode(manager, latents, new DecodeOptions(false, false)))
          .hasMessage("latents (1, 4, 5, 5) are not (batch, 3, rows, columns)");
    }
  }

  @Test
  void tilesOfOneLatentAreRejectedWithTheirSize() throws IOException {
    Path file = directory.resolve("config.json");
    String text = Files.readString(file);
    Files.writeString(file, text.replace("\"sample_size\": 8", "\"sample_size\": [2, 3]"));
    NDArray latents = manager.ones(new Shape(1, 3, 5, 5));
    try (AutoencoderKlDecoder decoder = open()) {
      assertThatThrownBy(() -> decoder.decode(manager, latents, new DecodeOptions(false, true)))
          .hasMessage(
              "tiling needs tiles of at least 2 × 2 latents, but sample_size 2 gives 1 × 1");
    }
  }

  /** What opening says about these weights, after the name of their file. */
  private String sentenceFor(Map<String, NDArray> tensors) throws IOException {
    Path file = write(tensors);
    Throwable error = catchThrowableOfType(ModelException.class, this::open);
    String message = String.valueOf(error.getMessage());
    assertThat(message).startsWith(file.toString()).doesNotContain("\n");
    return message.substring(file.toString().length()).strip();
  }

  private Path write(Map<String, NDArray> tensors) throws IOException {
    Path file = directory.resolve(VaeFixtures.FILE);
    Files.delete(file);
    SafeTensorsWriter.write(file, tensors);
    return file;
  }

  private AutoencoderKlDecoder open() {
    return AutoencoderKlDecoder.open(directory, LoadOptions.of(ElementType.FLOAT32));
  }
}
