package io.xfuser.models.internal.dit;

import static io.xfuser.models.contract.Requests.resolve;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.InputConfig;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.models.contract.DirectoryCopy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Defaults and settings that DiT accepts and refuses. */
class DiTPipelineTest {
  private static final Path FIXTURE = Path.of("src/test/resources/fixtures/dit_tiny");
  private static final InputConfig COCK = labels(7);

  private static InputConfig labels(Integer... labels) {
    return InputConfig.builder().classLabels(List.of(labels)).build();
  }

  @Test
  void defaultsAreDiffusers() {
    GenerationRequest request = resolve(FIXTURE, labels(7, 0));
    assertThat(request.size()).isEqualTo(new Size(40, 40)); // sample_size 10, factor 4
    assertThat(request.latents()).isEqualTo(LatentShape.picture(4, 10, 10, 2));
    assertThat(request.scheduler().steps()).isEqualTo(50);
    assertThat(request.guidance().scale()).isEqualTo(4);
    assertThat(request.prompts().positive()).containsExactly("7", "0");
    assertThat(request.prompts().negative()).containsExactly("1000", "1000");
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        Arguments.of(
            labels(5, 1001),
            "class_labels has 1001, which is outside 0 to 1000, the rows of this model's table"),
        Arguments.of(InputConfig.builder().build(), "dit needs class_labels"),
        Arguments.of(
            InputConfig.builder("a fox").build(), "dit has no prompt: it draws class_labels"),
        Arguments.of(
            COCK.toBuilder().negativePrompts("a fox").build(), "dit has no negative_prompt"),
        Arguments.of(COCK.toBuilder().size(40, 40).build(), "dit has no height"),
        Arguments.of(
            COCK.toBuilder().numImagesPerPrompt(2).build(), "dit has no num_images_per_prompt"),
        Arguments.of(COCK.toBuilder().numFrames(4).build(), "dit has no num_frames"));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void whatDiffusersDoesNotTakeIsRefused(InputConfig input, String sentence) {
    assertThatThrownBy(() -> resolve(FIXTURE, input)).hasMessage(sentence);
  }

  @Test
  void aTableWithoutTheNullClassDrawsWithoutGuidanceOnly(@TempDir Path directory)
      throws IOException {
    DirectoryCopy.of(FIXTURE, directory)
        .rewrite(
            "transformer/config.json",
            "\"num_embeds_ada_norm\": 1000",
            "\"num_embeds_ada_norm\": 9");
    assertThat(resolve(directory, labels(9).toBuilder().guidanceScale(1).build()).guided())
        .isFalse();
    assertThatThrownBy(() -> resolve(directory, labels(9)))
        .hasMessage(
            "class_labels has 1000, which is outside 0 to 9, the rows of this model's table");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          "ada_norm_zero" | "ada_norm" | norm_type is ada_norm, only ada_norm_zero is supported
          "attention_bias": true | "attention_bias": false | attention_bias is false, only true is supported
          "out_channels": 8 | "out_channels": 6 | out_channels is 6, neither in_channels 4 nor twice that
          "sample_size": 10 | "sample_size": 9 | sample_size 9 is no multiple of patch_size 2
          """)
  void aTransformerOfAnotherKindIsRefused(
      String from, String to, String sentence, @TempDir Path directory) throws IOException {
    DirectoryCopy.of(FIXTURE, directory).rewrite("transformer/config.json", from, to);
    assertThatThrownBy(() -> resolve(directory, COCK)).hasMessageEndingWith(sentence);
  }
}
