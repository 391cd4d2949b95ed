package io.xfuser.models.internal.pixart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.pipeline.DiffusionPipeline;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Defaults, sizes and directories that PixArt pipelines accept and reject. */
class PixArtPipelineTest {
  private static final Path SIGMA = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");

  @TempDir Path directory;
  private DirectoryCopy copy;

  @BeforeEach
  void copyFixture() throws IOException {
    copy = DirectoryCopy.of(SIGMA, directory);
  }

  private DiffusionPipeline open() {
    return DiffusionPipeline.fromPretrained(ModelConfig.builder(directory).build());
  }

  @Test
  void defaultsAreDiffusers() {
    try (DiffusionPipeline pipeline = open()) {
      GenerationRequest request = pipeline.model().resolve(InputConfig.builder("a fox").build());
      assertThat(request.output()).isEqualTo(new Size(256, 256)); // sample_size 32, factor 8
      assertThat(request.scheduler().steps()).isEqualTo(20);
      assertThat(request.guidance().scale()).isEqualTo(4.5);
      assertThat(request.text().maxSequenceLength()).isEqualTo(300);
      assertThat(request.text().cleanCaption()).isTrue();
    }
  }

  @Test
  void whatARequestLeavesOpenIsAsItsDirectorySays() throws IOException {
    Files.writeString(
        directory.resolve("xfuser.json"),
        """
        {"guidance_scale": 2.5, "use_resolution_binning": false, "num_inference_steps": 7,
         "height": 64, "width": 96, "max_sequence_length": 50, "clean_caption": false, "eta": null}
        """);
    try (DiffusionPipeline pipeline = open()) {
      GenerationRequest own = pipeline.model().resolve(InputConfig.builder("a fox").build());
      assertThat(own.size()).isEqualTo(own.output()).isEqualTo(new Size(64, 96));
      assertThat(own.scheduler().steps()).isEqualTo(7);
      assertThat(own.guidance().scale()).isEqualTo(2.5);
      assertThat(own.text().maxSequenceLength()).isEqualTo(50);
      assertThat(own.text().cleanCaption()).isFalse();
      InputConfig said =
          InputConfig.builder("a fox")
              .guidanceScale(3)
              .useResolutionBinning(true)
              .numInferenceSteps(2)
              .size(256, 256)
              .build();
      GenerationRequest asked = pipeline.model().resolve(said);
      assertThat(asked.size()).isEqualTo(new Size(256, 256));
      assertThat(asked.scheduler().steps()).isEqualTo(2);
      assertThat(asked.guidance().scale()).isEqualTo(3);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"guidance\": 2} | xfuser.json has guidance, but defaults of a request are only clean_",
        "{\"height\": \"64\"} | xfuser.json: height must be a number, but is \"64\"",
        "{\"num_inference_steps\": 0} | xfuser.json: num_inference_steps must be at least 1, but is"
            + " 0",
        "{\"quantize\": \"int4\"} | xfuser.json: quantize must be int8, but is int4",
        "[] | xfuser.json is not a JSON object"
      })
  void defaultsThatAreNoneAreRefusedWhenOpening(String json, String message) throws IOException {
    Files.writeString(directory.resolve("xfuser.json"), json);
    assertThatThrownBy(this::open).isInstanceOf(ModelException.class).hasMessageContaining(message);
  }

  @ParameterizedTest // by PixArtImageProcessor.classify_height_width_bin with the table of 256
  // pixels
  @CsvSource({"200, 120, 320, 192", "256, 256, 256, 256", "100, 400, 128, 512", "999, 1, 512, 128"})
  void sizesAreMappedToTheNearestBin(int height, int width, int binHeight, int binWidth) {
    try (DiffusionPipeline pipeline = open()) {
      GenerationRequest request =
          pipeline.model().resolve(InputConfig.builder("a fox").size(height, width).build());
      assertThat(new Size(request.size().height(), request.size().width()))
          .isEqualTo(new Size(binHeight, binWidth));
      assertThat(request.output()).isEqualTo(new Size(height, width));
    }
  }

  @Test
  void sizesThatAreNoWholeTokensAreRejected() {
    try (DiffusionPipeline pipeline = open()) {
      InputConfig input =
          InputConfig.builder("a fox").size(120, 128).useResolutionBinning(false).build();
      assertThatThrownBy(() -> pipeline.model().resolve(input))
          .hasMessage("height and width must be multiples of 16, but are 120 and 128");
    }
  }

  @Test
  void aPictureIsNoVideo() {
    try (DiffusionPipeline pipeline = open()) {
      InputConfig input = InputConfig.builder("a fox").numFrames(8).build();
      assertThatThrownBy(() -> pipeline.model().resolve(input))
          .hasMessageEndingWith("has no num_frames");
    }
  }

  @Test
  void anotherPipelineClassIsRejectedByName() throws IOException {
    copy.rewrite("model_index.json", "PixArtSigmaPipeline", "StableDiffusionXLPipeline");
    assertThatThrownBy(this::open)
        .hasMessageContaining("the pipeline StableDiffusionXLPipeline is not supported")
        .hasMessageContaining("PixArtAlphaPipeline, PixArtSigmaPipeline");
  }

  @Test
  void aComponentOfAnotherClassIsRejectedByName() throws IOException {
    copy.rewrite("model_index.json", "T5EncoderModel", "CLIPTextModel");
    assertThatThrownBy(this::open).hasMessageContaining("text_encoder is CLIPTextModel");
  }

  @Test
  void aMissingFolderIsRejectedByName() throws IOException {
    Files.move(directory.resolve("vae"), directory.resolve("vae_elsewhere"));
    assertThatThrownBy(this::open).hasMessage(directory + " has no folder vae");
  }

  @Test
  void aDirectoryWithoutIndexIsRejected() throws IOException {
    Files.delete(directory.resolve("model_index.json"));
    assertThatThrownBy(this::open).hasMessageContaining("no model_index.json");
  }

  @Test
  void aVariantThatNoComponentHasIsRejected() {
    assertThatThrownBy(
            () ->
                DiffusionPipeline.fromPretrained(
                    ModelConfig.builder(directory).variant("fp16").build()))
        .hasMessageContaining("no weights of the variant fp16");
  }

  @Test
  void aTransformerOfAnotherKindIsRejectedByItsSetting() throws IOException {
    copy.rewrite("transformer/config.json", "ada_norm_single", "ada_norm_zero");
    assertThatThrownBy(this::open).hasMessageContaining("norm_type is ada_norm_zero");
  }
}
