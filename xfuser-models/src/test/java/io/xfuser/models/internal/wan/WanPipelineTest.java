package io.xfuser.models.internal.wan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineModel.Handover;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.contract.Requests;
import io.xfuser.nn.Patchify;
import io.xfuser.pipeline.DiffusionPipeline;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Defaults, sizes, frames and settings that Wan accepts and refuses. */
class WanPipelineTest {
  private static final Path ONE = Requests.directory("wan_tiny");
  private static final Path TWO = Requests.directory("wan22_tiny");
  private static final InputConfig FOX = InputConfig.builder("a fox").build();

  @Test
  void defaultsAreDiffusers() {
    GenerationRequest request = Requests.resolve(ONE, FOX);
    assertThat(request.size()).isEqualTo(new Size(480, 832));
    assertThat(request.latents())
        .isEqualTo(
            new LatentShape(5, 21, 60, 104, new Patchify(2), LatentShape.Layout.VIDEO)
                .decodedTo(81, 16));
    assertThat(request.scheduler().steps()).isEqualTo(50);
    assertThat(request.guidance().scale()).isEqualTo(5);
    assertThat(request.text().maxSequenceLength()).isEqualTo(512);
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 1", "4, 5", "5, 5", "7, 5", "8, 9", "80, 81", "81, 81", "82, 81"})
  void framesAreRoundedAsDiffusersRoundsThem(int asked, int drawn) {
    InputConfig input = FOX.toBuilder().numFrames(asked).build();
    LatentShape latents = Requests.resolve(ONE, input).latents();
    assertThat(latents.pixelFrames()).isEqualTo(drawn);
    assertThat(latents.frames()).isEqualTo((latents.pixelFrames() - 1) / 4 + 1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "72 | 80 | 9 | height and width must be multiples of 16, but are 72 and 80",
        "48 | 16400 | 1 | 1 × 3 × 1025 tokens (num_frames × height × width) are too many along an"
            + " axis: wan has 1024 places",
      })
  void sizesThatItCannotDrawAreRefused(int height, int width, int frames, String sentence) {
    InputConfig input = FOX.toBuilder().size(height, width).numFrames(frames).build();
    assertThatThrownBy(() -> Requests.resolve(ONE, input)).hasMessage(sentence);
  }

  @Test
  void theSecondTransformerHasAGuidanceOfItsOwn() {
    InputConfig own =
        FOX.toBuilder().guidanceScale(4).set(InputConfig.GUIDANCE_SCALE_2, 3.0).build();
    assertThat(handovers(TWO, FOX)).containsExactly(new Handover(875, 5));
    assertThat(handovers(TWO, own)).containsExactly(new Handover(875, 3));
    assertThat(handovers(ONE, FOX)).isEmpty();
    assertThatThrownBy(() -> Requests.resolve(ONE, own))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("wan has no guidance_scale_2");
  }

  private static List<Handover> handovers(Path directory, InputConfig input) {
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.fromPretrained(ModelConfig.builder(directory).build())) {
      return pipeline.model().handovers(pipeline.model().resolve(input));
    }
  }

  @Test
  void aBoundaryWithoutASecondTransformerIsRefused(@TempDir Path directory) throws IOException {
    DirectoryCopy.of(ONE, directory)
        .rewrite("model_index.json", "\"vae\":", "\"boundary_ratio\": 0.9, \"vae\":");
    assertThatThrownBy(() -> Requests.resolve(directory, FOX))
        .isInstanceOf(ModelException.class)
        .hasMessageEndingWith("model_index.json has a boundary_ratio, but no transformer_2");
  }

  @Test
  void transformersOfDifferentSizesAreRefused(@TempDir Path directory) throws IOException {
    DirectoryCopy.of(TWO, directory)
        .rewrite("transformer_2/config.json", "\"num_layers\": 5", "\"num_layers\": 4");
    assertThatThrownBy(() -> Requests.resolve(directory, FOX))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("transformer_2/config.json describes WanConfig[layers=4, heads=6")
        .hasMessageContaining("but that of transformer WanConfig[layers=5");
  }

  @Test
  void aTransformerThatBeginsWithAPictureIsRefused(@TempDir Path directory) throws IOException {
    DirectoryCopy.of(ONE, directory)
        .rewrite("transformer/config.json", "\"in_channels\": 5", "\"in_channels\": 14");
    assertThatThrownBy(() -> Requests.resolve(directory, FOX))
        .hasMessageEndingWith("WanPipeline takes in_channels 5 with out_channels 5, but it is 14");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "wan_i2v_tiny | false | false | 9 | WanImageToVideoPipeline needs image",
        "wan_i2v_tiny | true | true | 9 | wan has no last_image",
        "wan22_i2v_tiny | true | true | 1 | last_image needs more than one frame, but num_frames is"
            + " 1",
        "wan_flf_tiny | true | false | 9 | WanImageToVideoPipeline needs last_image",
        "wan22_5b_tiny | true | true | 9 | wan has no last_image",
        "wan_tiny | true | false | 9 | wan has no image",
      })
  void picturesThatItCannotBeginOrEndWithAreRefused(
      String pipeline, boolean first, boolean last, int frames, String sentence) {
    InputConfigBuilder input = FOX.toBuilder().size(64, 96).numFrames(frames);
    if (first) {
      input.image(WanInputs.HILLS);
    }
    if (last) {
      input.set(InputConfig.LAST_IMAGE, WanInputs.TOWER);
    }
    assertThatThrownBy(() -> Requests.resolve(Requests.directory(pipeline), input.build()))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(sentence);
  }

  @Test
  void whatSeesPicturesMustFitTheTransformer(@TempDir Path directory) throws IOException {
    DirectoryCopy.of(WanInputs.BETWEEN, directory)
        .rewrite(
            "transformer/config.json", "\"pos_embed_seq_len\": 20", "\"pos_embed_seq_len\": 10");
    assertThatThrownBy(() -> Requests.resolve(directory, FOX))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("makes 10 states of width 32, but the transformer has image_dim 32")
        .hasMessageEndingWith("and pos_embed_seq_len 10");
  }

  /** What diffusers' script writes of Wan 2.1. */
  @Test
  void whatSeesPicturesMayProjectThemAndBringATokenizer(@TempDir Path directory)
      throws IOException {
    DirectoryCopy copy = DirectoryCopy.of(Requests.directory("wan_i2v_tiny"), directory);
    copy.rewrite("model_index.json", "\"CLIPVisionModel\"", "\"CLIPVisionModelWithProjection\"");
    copy.rewrite("model_index.json", "\"CLIPImageProcessor\"", "\"CLIPProcessor\"");
    InputConfig input = FOX.toBuilder().image(WanInputs.HILLS).build();
    assertThat(Requests.resolve(directory, input).encodesPictures()).isTrue();
  }

  @Test
  void aTransformerThatSeesPicturesNeedsWhatReadsThem(@TempDir Path directory) throws IOException {
    DirectoryCopy.of(WanInputs.BETWEEN, directory)
        .rewrite("model_index.json", "\"image_encoder\"", "\"another_encoder\"");
    assertThatThrownBy(() -> Requests.resolve(directory, FOX))
        .isInstanceOf(ModelException.class)
        .hasMessageEndingWith("the transformer has an image_dim, but there is no image_encoder");
  }
}
