package io.xfuser.models.internal.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.GuidanceOptions;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.contract.Requests;
import io.xfuser.nn.Patchify;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.transformer.Conditioner;
import io.xfuser.weights.Placement;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Defaults, sizes and settings that Flux's pipeline accepts and refuses. */
class FluxPipelineTest {
  private static final Path DEV = Path.of("src/test/resources/fixtures/flux_dev_tiny");
  private static final InputConfig FOX = InputConfig.builder("a fox").build();

  @TempDir Path directory;
  private DirectoryCopy copy;

  @BeforeEach
  void copyFixture() throws IOException {
    copy = DirectoryCopy.of(DEV, directory);
  }

  private GenerationRequest resolve(InputConfig input) {
    return Requests.resolve(directory, input);
  }

  @Test
  void defaultsAreDiffusers() {
    GenerationRequest request = resolve(FOX);
    assertThat(request.output()).isEqualTo(new Size(1024, 1024));
    assertThat(request.latents())
        .isEqualTo(new LatentShape(16, 1, 128, 128, new Patchify(2), LatentShape.Layout.PACKED));
    assertThat(request.scheduler().steps()).isEqualTo(28);
    assertThat(request.scheduler().mu()).isEqualTo(1.15, within(1e-12)); // of 4,096 tokens
    assertThat(request.guidance()).isEqualTo(new GuidanceOptions(1, 0, 3.5));
    assertThat(request.text().maxSequenceLength()).isEqualTo(512);
  }

  @Test
  void guidanceWeightsAreLeftOutWhereTheSettingsAskForNone() throws IOException {
    copy.rewrite(
        "transformer/config.json", "\"guidance_embeds\": true", "\"guidance_embeds\": false");
    try (DiffusionPipeline pipeline =
            DiffusionPipeline.fromPretrained(ModelConfig.builder(directory).build());
        Conditioner<?> merged = pipeline.model().transformer(Placement.CPU).conditioner();
        DiffusionPipeline whole =
            DiffusionPipeline.fromPretrained(ModelConfig.builder(DEV).build());
        Conditioner<?> guided = whole.model().transformer(Placement.CPU).conditioner()) {
      assertThat(merged.parameterBytes()).isLessThan(guided.parameterBytes());
    }
  }

  @Test
  void noiseLevelsAreEven() {
    assertThat(resolve(FOX.toBuilder().numInferenceSteps(4).build()).scheduler().sigmas())
        .isEqualTo(List.of(1.0, 0.75, 0.5, 0.25));
  }

  @Test
  void schedulersWithFlowSigmasHaveTheirOwnLevels() throws IOException {
    copy.rewrite(
        "scheduler/scheduler_config.json",
        "\"shift\": 3.0",
        "\"shift\": 3.0, \"use_flow_sigmas\": true");
    assertThat(resolve(FOX).scheduler().sigmas()).isNull();
  }

  @Test
  void onlyANegativePromptMakesTrueGuidance() {
    InputConfig strong = FOX.toBuilder().trueCfgScale(3).guidanceScale(2).build();
    assertThat(resolve(strong).guidance()).isEqualTo(new GuidanceOptions(1, 0, 2));
    assertThat(resolve(strong.toBuilder().negativePrompts("dark").build()).guidance())
        .isEqualTo(new GuidanceOptions(3, 0, 2));
    assertThat(resolve(FOX.toBuilder().negativePrompts("dark").build()).guided()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"57, 91, 48, 80", "64, 79, 64, 64", "16, 16, 16, 16"})
  void sizesAreRoundedDownToWholeTokens(int height, int width, int rows, int columns) {
    GenerationRequest request = resolve(FOX.toBuilder().size(height, width).build());
    assertThat(request.size()).isEqualTo(new Size(rows, columns));
    assertThat(request.output()).isEqualTo(new Size(rows, columns));
  }

  @Test
  void sizesBelowOneTokenAreRefused() {
    assertThatThrownBy(() -> resolve(FOX.toBuilder().size(64, 15).build()))
        .hasMessage("height and width must be at least 16, but are 64 and 15");
  }

  @Test
  void settingsOfOtherModelsAreRefused() {
    assertThatThrownBy(() -> resolve(FOX.toBuilder().numFrames(8).build()))
        .hasMessage("flux has no num_frames");
    assertThatThrownBy(() -> resolve(FOX.toBuilder().eta(0.5).build()))
        .hasMessage("flux has no eta");
    assertThatThrownBy(() -> resolve(FOX.toBuilder().guidanceRescale(0.5).build()))
        .hasMessage("flux has no guidance_rescale");
    assertThatThrownBy(() -> resolve(InputConfig.builder().build()))
        .hasMessage("flux needs prompt");
  }

  @Test
  void longerTextThanTheModelTakesIsRefused() {
    assertThatThrownBy(() -> resolve(FOX.toBuilder().maxSequenceLength(513).build()))
        .hasMessage("max_sequence_length is 513, but flux takes at most 512");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"patch_size\": 1| \"patch_size\": 2| patch_size is 2, only 1 is supported",
        "\"out_channels\": null| \"out_channels\": 32| in_channels is 64, but a transformer of"
            + " FluxPipeline with out_channels 32 must have 32",
        "\"in_channels\": 64| \"in_channels\": 62| in_channels 62 and out_channels 62 are"
            + " not those of 2 by 2 latents",
        "\"attention_head_dim\": 8| \"attention_head_dim\": 6| axes_dims_rope [2, 2, 4] are not"
            + " three even numbers that add up to attention_head_dim 6",
      })
  void transformersThatAreNotSupportedAreRefused(String from, String to, String message)
      throws IOException {
    copy.rewrite("transformer/config.json", from, to);
    assertThatThrownBy(() -> resolve(FOX))
        .hasMessage(directory.resolve("transformer/config.json") + ": " + message);
  }

  @Test
  void anAutoencoderOfOtherLatentsIsRefused() throws IOException {
    copy.rewrite("vae/config.json", "\"latent_channels\": 16", "\"latent_channels\": 4");
    assertThatThrownBy(() -> resolve(FOX))
        .hasMessage(
            directory.resolve("vae/config.json")
                + ": latent_channels is 4, but the transformer's tokens of 64 are 2 by 2 latents"
                + " of 16");
  }

  @Test
  void anotherSchedulerIsRefusedByName() throws IOException {
    String solver = "DPMSolverMultistepScheduler";
    copy.rewrite("model_index.json", "FlowMatchEulerDiscreteScheduler", solver);
    assertThatThrownBy(() -> resolve(FOX)) // without flow sigmas
        .hasMessage(
            directory.resolve("scheduler/scheduler_config.json")
                + ": "
                + solver
                + " takes no sigmas");
    copy.rewrite("model_index.json", solver, "DDIMScheduler");
    assertThatThrownBy(() -> resolve(FOX)).hasMessageContaining("scheduler is DDIMScheduler");
  }
}
