package io.xfuser.models.internal.hunyuandit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.weights.Placement;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Defaults, sizes and settings that HunyuanDiT accepts and refuses. */
class HunyuanDiTPipelineTest {
  private static final Path FIXTURE = Path.of("src/test/resources/fixtures/hunyuandit_tiny");

  @TempDir Path directory;
  private DirectoryCopy copy;

  @BeforeEach
  void copyFixture() throws IOException {
    copy = DirectoryCopy.of(FIXTURE, directory);
  }

  private DiffusionPipeline open() {
    return DiffusionPipeline.fromPretrained(ModelConfig.builder(directory).build());
  }

  private GenerationRequest resolve(InputConfig input) {
    try (DiffusionPipeline pipeline = open()) {
      return pipeline.model().resolve(input);
    }
  }

  @Test
  void defaultsAreDiffusers() throws IOException {
    copy.rewrite("transformer/config.json", "\"sample_size\": 8", "\"sample_size\": 128");
    GenerationRequest request = resolve(InputConfig.builder("a fox").build());
    assertThat(request.size()).isEqualTo(new Size(1024, 1024));
    assertThat(request.output()).isEqualTo(new Size(1024, 1024));
    assertThat(request.latents()).isEqualTo(LatentShape.picture(4, 128, 128, 2));
    assertThat(request.scheduler().steps()).isEqualTo(50);
    assertThat(request.guidance().scale()).isEqualTo(5);
    assertThat(request.guidance().rescale()).isZero();
  }

  @ParameterizedTest // by diffusers' map_to_standard_shapes; the picture is not resized back
  @CsvSource({
    "1024, 1024, 1024, 1024",
    "1030, 1039, 1024, 1024",
    "200, 200, 1024, 1024",
    "1200, 1200, 1280, 1280",
    "768, 1024, 768, 1024",
    "100, 128, 768, 1024",
    "1000, 1300, 960, 1280",
    "1200, 800, 1152, 864",
    "2000, 400, 1280, 768",
    "16, 4000, 768, 1280"
  })
  void sizesAreMappedToTheStandardOnes(int height, int width, int standardHeight, int standard) {
    GenerationRequest request = resolve(InputConfig.builder("a fox").size(height, width).build());
    assertThat(request.size()).isEqualTo(new Size(standardHeight, standard));
    assertThat(request.output()).isEqualTo(request.size());
  }

  @Test
  void withoutBinningSizesAreRoundedDownToSixteen() {
    GenerationRequest request =
        resolve(InputConfig.builder("a fox").size(57, 91).useResolutionBinning(false).build());
    assertThat(request.size()).isEqualTo(new Size(48, 80));
    assertThat(request.output()).isEqualTo(new Size(48, 80));
  }

  @Test
  void sizesBelowSixteenAreRefused() {
    assertThatThrownBy(() -> resolve(InputConfig.builder("a fox").size(15, 64).build()))
        .hasMessage("height and width must be at least 16, but are 15 and 64");
  }

  @Test
  void settingsOfOtherModelsAreRefused() {
    InputConfig fox = InputConfig.builder("a fox").build();
    assertThatThrownBy(() -> resolve(fox.toBuilder().numFrames(8).build()))
        .hasMessage("hunyuandit has no num_frames");
    assertThatThrownBy(() -> resolve(fox.toBuilder().maxSequenceLength(20).build()))
        .hasMessage("hunyuandit has no max_sequence_length");
    assertThatThrownBy(() -> resolve(fox.toBuilder().trueCfgScale(2.0).build()))
        .hasMessage("hunyuandit has no true_cfg_scale");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'\"num_layers\": 10'| '\"num_layers\": 9'"
            + "| num_layers is 9, but long skips need an even number",
        "'\"attention_head_dim\": 4'| '\"attention_head_dim\": 6, \"num_attention_heads\": 4,"
            + " \"x\": 0'| attention_head_dim is 6, but the rotation of two axes needs a multiple"
            + " of 4",
        "'\"cross_attention_dim_t5\": 24'| '\"cross_attention_dim_t5\": 20'"
            + "| cross_attention_dim_t5 is 20, but the heads of the pool need a multiple of 8"
      })
  void shapesThatDiffusersCannotRunAreRefused(String from, String to, String message)
      throws IOException {
    if (to.contains("\"x\"")) {
      copy.rewrite("transformer/config.json", "\"num_attention_heads\": 6,", "");
    }
    copy.rewrite("transformer/config.json", from, to);
    assertThatThrownBy(this::open).hasMessage(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'\"norm_type\": \"layer_norm\"'| '\"norm_type\": \"rms_norm\"'"
            + "| norm_type is rms_norm, only layer_norm is supported",
        "'\"learn_sigma\": true'| '\"learn_sigma\": false'"
            + "| learn_sigma is false, only true is supported",
        "'\"hidden_size\": 24'| '\"hidden_size\": 48'| hidden_size is 48, only 24 is supported",
        "'\"patch_size\": 2'| '\"patch_size\": 4'| patch_size is 4, only 2 is supported",
        "'\"text_len\": 77'| '\"text_len\": 64'| text_len is 64, only 77 is supported",
        "'\"text_len_t5\": 256'| '\"text_len_t5\": 128'"
            + "| text_len_t5 is 128, only 256 is supported",
      })
  void settingsThatAreNotSupportedAreRefused(String from, String to, String message)
      throws IOException {
    copy.rewrite("transformer/config.json", from, to);
    assertThatThrownBy(this::open)
        .hasMessage(directory.resolve("transformer/config.json") + ": " + message);
  }

  @Test
  void weightsOfTheOtherVersionAreRefused() throws IOException {
    copy.rewrite("transformer/config.json", "image_meta_size\": true", "image_meta_size\": false");
    try (DiffusionPipeline pipeline = open()) {
      assertThatThrownBy(() -> pipeline.model().transformer(Placement.CPU).conditioner())
          .hasMessageContaining("time_extra_emb.extra_embedder.linear_1.weight")
          .hasMessageContaining("the model needs [96, 16]");
    }
  }

  @Test
  void aSafetyCheckerIsAcceptedAndNotRun() throws IOException {
    copy.rewrite(
        "model_index.json",
        "\"safety_checker\": [\n    null,\n    null\n  ]",
        "\"safety_checker\": [\"stable_diffusion\", \"StableDiffusionSafetyChecker\"]");
    assertThat(resolve(InputConfig.builder("a fox").build()).images()).isEqualTo(1);
  }

  @Test
  void anotherTextEncoderIsRefusedByName() throws IOException {
    copy.rewrite("model_index.json", "BertModel", "CLIPTextModel");
    assertThatThrownBy(this::open)
        .hasMessageContaining(
            "text_encoder is CLIPTextModel, but only BertModel, MT5EncoderModel, T5EncoderModel,"
                + " UMT5EncoderModel can be used here");
  }
}
