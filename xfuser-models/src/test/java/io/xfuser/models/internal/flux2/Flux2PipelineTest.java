package io.xfuser.models.internal.flux2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.GuidanceOptions;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.contract.Requests;
import io.xfuser.models.internal.text.Tokenizer;
import io.xfuser.models.internal.text.Tokenizers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Defaults, schedules, messages and settings that Flux.2's pipelines accept and refuse. */
class Flux2PipelineTest {
  private static final InputConfig FOX = InputConfig.builder("a fox").build();

  @TempDir Path scratch;

  private static Path directory(Flux2Variant variant) {
    return Requests.directory(variant.title() + "_tiny");
  }

  private static JsonNode reference(Flux2Variant variant) throws IOException {
    Path file = Requests.directory("reference").resolve(variant.title() + "_tiny/ids.json");
    return new ObjectMapper().readTree(file.toFile());
  }

  private static GenerationRequest resolve(Flux2Variant variant, InputConfig input) {
    return Requests.resolve(directory(variant), input);
  }

  @ParameterizedTest
  @EnumSource
  void defaultsAreDiffusers(Flux2Variant variant) {
    GenerationRequest request = resolve(variant, FOX);
    assertThat(request.output()).isEqualTo(new Size(1024, 1024));
    assertThat(request.latents().axes().tokens()).isEqualTo(4096);
    assertThat(request.scheduler().steps()).isEqualTo(50);
    assertThat(request.text().maxSequenceLength()).isEqualTo(512);
    assertThat(request.guidance().condition()).isEqualTo(4);
  }

  @Test
  void noiseLevelsAreShiftedAsInDiffusers() throws IOException {
    for (JsonNode one : reference(Flux2Variant.DEV).get("shifts")) {
      double mu = EmpiricalShift.mu(one.get(0).asInt(), one.get(1).asInt());
      assertThat(mu).isCloseTo(one.get(2).asDouble(), within(1e-12));
    }
  }

  @ParameterizedTest
  @EnumSource
  void messagesHaveTheIdsOfTransformers(Flux2Variant variant) throws IOException {
    JsonNode json = reference(variant);
    Path folder = directory(variant).resolve("tokenizer");
    String name = variant == Flux2Variant.DEV ? "PixtralProcessor" : "Qwen2TokenizerFast";
    try (Tokenizer tokenizer = Tokenizers.open(folder, name)) {
      assertThat(tokenizer.padsLeft()).isEqualTo(variant == Flux2Variant.DEV);
      for (JsonNode one : json.get("texts")) {
        String message = variant.message(one.get(0).asText());
        long[] theirs =
            Stream.of(one.get(1).asText().split(" ", -1)).mapToLong(Long::parseLong).toArray();
        var right = tokenizer.encode(List.of(message), json.get("room").asInt());
        var ids = tokenizer.padsLeft() ? right.paddedLeft() : right;
        assertThat(ids.ids()[0]).as(one.get(0).asText()).isEqualTo(theirs);
        assertThat(LongStream.of(ids.mask()[0]).sum()).isGreaterThan(2);
      }
    }
  }

  @Test
  void onlyABaseModelIsGuidedByASecondText() throws IOException {
    InputConfig strong = FOX.toBuilder().guidanceScale(3).build();
    GuidanceOptions told = new GuidanceOptions(1, 0, 3);
    assertThat(resolve(Flux2Variant.DEV, strong).guidance()).isEqualTo(told);
    assertThat(resolve(Flux2Variant.KLEIN, strong).guidance())
        .isEqualTo(new GuidanceOptions(3, 0, 3));
    DirectoryCopy.of(directory(Flux2Variant.KLEIN), scratch)
        .rewrite("model_index.json", "\"is_distilled\": false", "\"is_distilled\": true");
    assertThat(Requests.resolve(scratch, strong).guidance()).isEqualTo(told);
  }

  @ParameterizedTest
  @CsvSource({"57, 91, 48, 80", "64, 79, 64, 64", "16, 16, 16, 16"})
  void sizesAreRoundedDownToWholeTokens(int height, int width, int rows, int columns) {
    GenerationRequest request =
        resolve(Flux2Variant.DEV, FOX.toBuilder().size(height, width).build());
    assertThat(request.size()).isEqualTo(new Size(rows, columns));
  }

  @Test
  void whatItHasNotIsRefusedByName() {
    assertThatThrownBy(
            () -> resolve(Flux2Variant.KLEIN, FOX.toBuilder().negativePrompts("dark").build()))
        .hasMessage("flux2_klein has no negative_prompt");
    assertThatThrownBy(
            () ->
                resolve(
                    Flux2Variant.DEV,
                    FOX.toBuilder()
                        .set(InputConfig.TEXT_ENCODER_OUT_LAYERS, List.of(1, 2))
                        .build()))
        .hasMessage(
            "text_encoder_out_layers names [1, 2], but the transformer takes the states of 3"
                + " layers");
  }

  @Test
  void hiddenStatesOfLayersThatTheEncoderHasNotAreRefused() {
    InputConfigBuilder fox = FOX.toBuilder();
    assertThatThrownBy(
            () ->
                resolve(
                    Flux2Variant.KLEIN,
                    fox.set(InputConfig.TEXT_ENCODER_OUT_LAYERS, List.of(0, 28, 29)).build()))
        .hasMessage(
            "text_encoder_out_layers asks text_encoder for hidden state 29, but it has 28 layers");
  }

  @ParameterizedTest
  @CsvSource({
    "transformer/config.json, '\"in_channels\": 24', '\"in_channels\": 32', in_channels is 32",
    "transformer/config.json, '\"joint_attention_dim\": 48', '\"joint_attention_dim\": 32',"
        + " joint_attention_dim is 32",
    "vae/config.json, '\"latent_channels\": 6', '\"latent_channels\": 5', in_channels is 24",
    "text_encoder/config.json, '\"hidden_act\": \"silu\"', '\"hidden_act\": \"gelu\"', hidden_act",
  })
  void componentsThatDoNotFitAreRefused(String file, String from, String to, String said)
      throws IOException {
    DirectoryCopy.of(directory(Flux2Variant.DEV), scratch).rewrite(file, from, to);
    assertThatThrownBy(() -> Requests.resolve(scratch, FOX)).hasMessageContaining(said);
  }
}
