package io.xfuser.models.internal.sd3;

import static io.xfuser.models.contract.Requests.resolve;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.TextEncoder.TextOptions;
import io.xfuser.model.TextRequest;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.nn.Range;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Defaults, sizes and settings that Stable Diffusion 3 accepts and refuses. */
class SD3PipelineTest {
  private static final Path FIXTURE = Path.of("src/test/resources/fixtures/sd3_tiny");
  private static final InputConfig FOX = InputConfig.builder("a fox").build();

  @Test
  void defaultsAreDiffusers() {
    GenerationRequest request = resolve(FIXTURE, FOX);
    assertThat(request.size()).isEqualTo(new Size(48, 48)); // sample_size 6, factor 8
    assertThat(request.latents()).isEqualTo(LatentShape.picture(16, 6, 6, 2));
    assertThat(request.scheduler().steps()).isEqualTo(28);
    assertThat(request.scheduler().mu()).isNull();
    assertThat(request.guidance().scale()).isEqualTo(7);
    assertThat(request.text().maxSequenceLength()).isEqualTo(256);
    assertThat(request.prompts().negative()).containsExactly("");
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        Arguments.of(
            FOX.toBuilder().size(48, 56).build(),
            "height and width must be multiples of 16, but are 48 and 56"),
        Arguments.of(
            FOX.toBuilder().size(208, 48).build(),
            "208 x 48 pixels are 13 x 3 tokens, but the model has positions for 12 x 12"),
        Arguments.of(
            FOX.toBuilder().maxSequenceLength(513).build(),
            "max_sequence_length is 513, but sd3 takes at most 512"),
        Arguments.of(FOX.toBuilder().numFrames(8).build(), "sd3 has no num_frames"),
        Arguments.of(FOX.toBuilder().eta(0.5).build(), "sd3 has no eta"),
        Arguments.of(FOX.toBuilder().trueCfgScale(2).build(), "sd3 has no true_cfg_scale"),
        Arguments.of(FOX.toBuilder().guidanceRescale(0.7).build(), "sd3 has no guidance_rescale"),
        Arguments.of(
            FOX.toBuilder().prompts().classLabels(List.of(7)).build(), "sd3 has no class_labels"),
        Arguments.of(FOX.toBuilder().prompts().build(), "sd3 needs prompt"));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void whatDiffusersDoesNotTakeIsRefused(InputConfig input, String sentence) {
    assertThatThrownBy(() -> resolve(FIXTURE, input)).hasMessage(sentence);
  }

  @Test
  void theLargestPictureThatHasPositionsIsDrawn() {
    assertThat(resolve(FIXTURE, FOX.toBuilder().size(192, 192).build()).latents().axes().tokens())
        .isEqualTo(144);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          "qk_norm": null | "qk_norm": "layer_norm" | qk_norm is layer_norm, only rms_norm is supported
          "caption_projection_dim": 24 | "caption_projection_dim": 25 | caption_projection_dim is 25, but 6 heads of 4 need 24
          "out_channels": 16 | "out_channels": 32 | out_channels is 32, but in_channels is 16
          """)
  void aTransformerOfAnotherKindIsRefused(
      String from, String to, String sentence, @TempDir Path directory) throws IOException {
    DirectoryCopy.of(FIXTURE, directory).rewrite("transformer/config.json", from, to);
    assertThatThrownBy(() -> resolve(directory, FOX))
        .hasMessage(directory.resolve("transformer/config.json") + ": " + sentence);
  }

  @Test
  void moreLayersThanClipHasCannotBeSkipped() {
    InputConfig fox = FOX.toBuilder().set(InputConfig.CLIP_SKIP, 3).build();
    assertThatThrownBy(() -> resolve(FIXTURE, fox))
        .hasMessage("clip_skip asks text_encoder for hidden state -5, but it has 3 layers");
    assertThat(resolve(FIXTURE, fox.toBuilder().set(InputConfig.CLIP_SKIP, 2).build()).text())
        .matches(text -> text.clipSkip() == 2);
  }

  @Test
  void whereLayersAreSkippedPromptsMayBeEncodedApartToo() {
    TextOptions options = new TextOptions(20, false, /* clipSkip= */ 1, true, List.of(), null);
    TextRequest.Prompts prompts = new TextRequest.Prompts(List.of("a fox"), List.of("two boats"));
    BlockContext whole = BlockContext.none(List.of());
    TextRequest request = new TextRequest(prompts, 1, Range.of(1), options, List.of(), whole);
    try (NDManager manager = Torch.newManager();
        DiffusionPipeline pipeline =
            DiffusionPipeline.fromPretrained(ModelConfig.builder(FIXTURE).build());
        TextEncoder encoder = pipeline.model().textEncoder(Placement.CPU, Share.WHOLE)) {
      Map<String, NDArray> apart = encoder.encode(manager, request.inParts());
      Map<String, NDArray> together = encoder.encode(manager, request);
      assertThat(apart).hasSameSizeAs(together).hasSize(4);
      together.forEach(
          (name, tensor) ->
              assertThat(Pixels.largestDifference(Objects.requireNonNull(apart.get(name)), tensor))
                  .as(name)
                  .isLessThan(1e-5));
    }
  }

  @Test
  void onlyT5MayBeAbsent(@TempDir Path directory) throws IOException {
    DirectoryCopy copy = DirectoryCopy.of(FIXTURE, directory);
    String clip =
        "\"text_encoder_2\": [\n    \"transformers\",\n    \"CLIPTextModelWithProjection\"";
    copy.rewrite("model_index.json", clip, "\"text_encoder_2\": [null, null");
    assertThatThrownBy(() -> resolve(directory, FOX))
        .hasMessageEndingWith(
            "text_encoder_2 is [null,null], but only CLIPTextModelWithProjection can be used here");
  }

  @Test
  void aComponentThatTheIndexDoesNotNameIsMissing(@TempDir Path directory) throws IOException {
    DirectoryCopy.of(FIXTURE, directory).rewrite("model_index.json", "\"scheduler\"", "\"other\"");
    assertThatThrownBy(() -> resolve(directory, FOX))
        .hasMessageContaining("model_index.json has no scheduler: it must name one of ");
  }

  @Test
  void aT5OfAnotherClassIsRefused(@TempDir Path directory) throws IOException {
    DirectoryCopy copy = DirectoryCopy.of(FIXTURE, directory);
    copy.rewrite("model_index.json", "T5EncoderModel", "CLIPTextModel");
    assertThatThrownBy(() -> resolve(directory, FOX))
        .hasMessageEndingWith(
            "but only BertModel, MT5EncoderModel, T5EncoderModel, UMT5EncoderModel,"
                + " [null,null] can be used here");
  }

  @Test // calculate_shift of diffusers: 0.5 at 256 tokens, 1.15 at 4,096
  void dynamicShiftDependsOnThePicture(@TempDir Path directory) throws IOException {
    DirectoryCopy copy = DirectoryCopy.of(FIXTURE, directory);
    copy.rewrite(
        "scheduler/scheduler_config.json",
        "\"shift\": 3.0",
        "\"shift\": 3.0, \"use_dynamic_shifting\": true");
    assertThat(resolve(directory, FOX.toBuilder().size(80, 112).build()).scheduler().mu())
        .isCloseTo(0.5 + 0.65 * (35 - 256) / 3840, within(1e-12));
  }
}
