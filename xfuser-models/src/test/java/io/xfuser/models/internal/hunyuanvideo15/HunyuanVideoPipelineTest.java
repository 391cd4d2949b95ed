package io.xfuser.models.internal.hunyuanvideo15;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.contract.Requests;
import io.xfuser.models.internal.files.SingleFiles;
import io.xfuser.nn.Patchify;
import io.xfuser.pipeline.DiffusionPipeline;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Defaults, sizes, quoted texts and settings that HunyuanVideo 1.5 accepts and refuses. */
class HunyuanVideoPipelineTest {
  private static final Path TINY = Requests.directory("hunyuanvideo15_tiny");
  private static final InputConfig FOX = InputConfig.builder("a fox").build();

  @Test
  void defaultsAreDiffusers() {
    GenerationRequest request = Requests.resolve(TINY, FOX);
    assertThat(request.size()).isEqualTo(new Size(480, 848));
    assertThat(request.latents())
        .isEqualTo(
            new LatentShape(8, 31, 30, 53, new Patchify(1), LatentShape.Layout.VIDEO)
                .decodedTo(121, 24));
    assertThat(request.scheduler().steps()).isEqualTo(50);
    List<Double> sigmas = Objects.requireNonNull(request.scheduler().sigmas());
    assertThat(sigmas).hasSize(50).startsWith(1.0);
    assertThat(sigmas.get(49)).isCloseTo(0.02, within(1e-12));
  }

  /** Of what diffusers calculates. */
  @ParameterizedTest
  @CsvSource({
    "256, 192, 336",
    "480, 352, 624",
    "640, 480, 848",
    "720, 544, 944",
    "960, 720, 1280",
    "100, 64, 112"
  })
  void usualSizesAreDiffusers(int side, int height, int width) {
    assertThat(HunyuanVideoSizes.usual(side, 16)).isEqualTo(new Size(height, width));
  }

  @Test
  void oneSideAloneIsRefused() {
    assertThatThrownBy(() -> Requests.resolve(TINY, FOX.toBuilder().height(64).build()))
        .hasMessage("hunyuanvideo15 needs both height and width, or neither of them");
  }

  @Test
  void distilledForTwoTimestepsIsRefused(@TempDir Path directory) throws IOException {
    DirectoryCopy.of(TINY, directory)
        .rewrite("transformer/config.json", "\"use_meanflow\": false", "\"use_meanflow\": true");
    assertThatThrownBy(() -> Requests.resolve(directory, FOX))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("use_meanflow");
  }

  /** The guider has settings alone: it lacks no weights, and ranks compare it. */
  @Test
  void aGuiderHasNoWeights() {
    assertThat(new SingleFiles().inspect(TINY, Map.of())).containsEntry("missing", List.of());
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.fromPretrained(ModelConfig.builder(TINY).build())) {
      assertThat(pipeline.model().contents()).containsKey("guider/ with the digest");
    }
  }

  @Test
  void anotherGuiderIsRefused(@TempDir Path directory) throws IOException {
    DirectoryCopy.of(TINY, directory)
        .rewrite("model_index.json", "ClassifierFreeGuidance", "AdaptiveProjectedGuidance");
    assertThatThrownBy(() -> Requests.resolve(directory, FOX))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("guider is AdaptiveProjectedGuidance");
  }

  /** As {@code extract_glyph_texts} gives them. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "a \"Bar\" | `Text \"Bar\". `",
        "“红” and \"b\" and \"b\" | `Text \"红\". Text \"b\". `",
        "an odd \"one\" out\" | `Text \"one\". `",
        "\"\" | `Text \"\". `",
      })
  void quotedTextsAreTold(String prompt, String told) {
    assertThat(GlyphTexts.of(prompt)).hasValue(told);
  }

  @Test
  void aPromptMayHaveNone() {
    assertThat(GlyphTexts.of("it's 5 o'clock")).isEmpty();
    assertThat(GlyphTexts.of("over \"two\nlines\"")).isEmpty();
  }
}
