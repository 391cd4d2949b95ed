package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.Lora;
import io.xfuser.weights.Placement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LoRAs by request: what each takes, what is kept, and that none is left in another's picture. */
class LoraRequestsTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
  private static final Path MODEL = FIXTURES.resolve("flux_dev_tiny");
  private static final String XLABS = FIXTURES + "/loras/flux_xlabs.safetensors";
  private static final String KOHYA = FIXTURES + "/loras/flux_kohya.safetensors:0.5";

  @TempDir Path folder;

  private static DiffusionPipeline open(ModelConfig.Builder model) {
    return DiffusionPipeline.fromPretrained(model.build());
  }

  private static ModelConfig.Builder dynamic(int kept) {
    return ModelConfig.builder(MODEL).dynamicLora(true).loraCache(kept);
  }

  private static InputConfigBuilder fox() {
    return InputConfig.builder("a red fox")
        .size(32, 32)
        .numInferenceSteps(1)
        .maxSequenceLength(16)
        .outputType(OutputType.LATENT);
  }

  private static XDiTParallel ranks(DiffusionPipeline pipeline) {
    EngineConfig engine =
        EngineConfig.builder(MODEL).parallel(ranks -> ranks.tensorDegree(2)).build();
    return XDiTParallel.inProcess(pipeline, engine);
  }

  private static float[] latents(GenerationTask task) {
    try (Generation generation = task.await()) {
      return generation.tensor().toFloatArray();
    }
  }

  private static List<List<String>> kept(DiffusionPipeline pipeline) {
    return pipeline.choices(Placement.CPU).kept().stream()
        .map(loras -> loras.stream().map(Lora::title).toList())
        .toList();
  }

  @Test
  void requestsInTheQueueTakeTheirOwnAndWithoutOneItIsAsBeforeToTheBit() {
    try (DiffusionPipeline pipeline = open(dynamic(2));
        XDiTParallel ranks = ranks(pipeline)) {
      List<InputConfig> asked =
          List.of(
              fox().build(),
              fox().loras(XLABS).build(),
              fox().loras(KOHYA, XLABS).build(),
              fox().loras(List.of()).build(),
              fox().loras(XLABS).build());
      List<GenerationTask> tasks = new ArrayList<>();
      asked.forEach(input -> tasks.add(ranks.submit(input)));
      List<float[]> drawn = tasks.stream().map(LoraRequestsTest::latents).toList();
      assertThat(drawn.get(3)).isEqualTo(drawn.get(0));
      assertThat(drawn.get(4)).isEqualTo(drawn.get(1));
      assertThat(drawn.get(1)).isNotEqualTo(drawn.get(0));
      assertThat(drawn.get(2)).isNotEqualTo(drawn.get(1)).isNotEqualTo(drawn.get(0));
    }
  }

  @Test
  void aChoiceOfARequestDrawsWhatItDrawsInThePipeline() {
    try (DiffusionPipeline fixed = open(ModelConfig.builder(MODEL).loras(KOHYA));
        XDiTParallel one = ranks(fixed);
        DiffusionPipeline pipeline = open(dynamic(1).loras(XLABS));
        XDiTParallel other = ranks(pipeline)) {
      InputConfig chosen = fox().loras(KOHYA).build();
      float[] expected = latents(one.submit(fox().build()));
      assertThat(latents(other.submit(chosen))).isEqualTo(expected);
      assertThat(latents(one.submit(chosen))).isEqualTo(expected); // the same as its own
    }
  }

  @Test
  void soManyChoicesAreKeptAsAreAskedForTheLastOnes() {
    try (DiffusionPipeline pipeline = open(dynamic(2));
        XDiTParallel ranks = ranks(pipeline)) {
      latents(ranks.submit(fox().build()));
      long plain = pipeline.transformerBytes();
      latents(ranks.submit(fox().loras(XLABS).build()));
      assertThat(kept(pipeline)).containsExactly(List.of(), List.of("flux_xlabs.safetensors"));
      assertThat(pipeline.transformerBytes()).isEqualTo(2 * plain);
      long text = pipeline.textEncoderBytes();
      latents(ranks.submit(fox().build()));
      latents(ranks.submit(fox().loras(KOHYA).build()));
      assertThat(kept(pipeline)).containsExactly(List.of(), List.of("flux_kohya.safetensors:0.5"));
      assertThat(pipeline.transformerBytes()).isEqualTo(2 * plain);
      assertThat(pipeline.textEncoderBytes()).isEqualTo(2 * text); // which it changes too
    }
  }

  @Test
  void aFileThatChangedIsAnotherLora() throws IOException {
    Path file = folder.resolve("x.safetensors");
    Files.copy(Path.of(XLABS), file);
    try (DiffusionPipeline pipeline = open(dynamic(3));
        XDiTParallel ranks = ranks(pipeline)) {
      InputConfig chosen = fox().loras(file.toString()).build();
      float[] before = latents(ranks.submit(chosen));
      Path other = folder.resolve("y.safetensors");
      Files.copy(FIXTURES.resolve("loras/flux_dora.safetensors"), other);
      Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
      assertThat(latents(ranks.submit(chosen))).isNotEqualTo(before);
    }
  }

  @Test
  void whatCannotBeIsRefusedWhenItIsAskedFor() {
    try (DiffusionPipeline pipeline = open(ModelConfig.builder(MODEL).loras(XLABS));
        XDiTParallel ranks = ranks(pipeline)) {
      assertThatThrownBy(() -> ranks.submit(fox().loras(KOHYA).build()))
          .isInstanceOf(ArgumentException.class)
          .hasMessage(
              "lora of a request needs a pipeline with dynamic_lora, but this one has"
                  + " [flux_xlabs.safetensors] alone");
    }
    try (DiffusionPipeline pipeline = open(dynamic(2));
        XDiTParallel ranks = ranks(pipeline)) {
      String sd3 = FIXTURES + "/loras/sd3_kohya.safetensors";
      assertThatThrownBy(() -> ranks.submit(fox().loras(sd3).build()))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining(
              "is a LoRA for Stable Diffusion 3, not for flux: 3 of its 15 modules fit, \"");
      assertThatThrownBy(() -> ranks.submit(fox().loras("nothing.safetensors").build()))
          .isInstanceOf(ArgumentException.class)
          .hasMessageStartingWith("there is no LoRA nothing.safetensors");
      assertThat(latents(ranks.submit(fox().build()))).isNotEmpty();
    }
    assertThatThrownBy(
            () -> open(ModelConfig.builder(FIXTURES.resolve("dit_tiny")).loras(XLABS)).close())
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("is a LoRA for Flux.1, not for dit");
  }

  @Test
  void picturesTellTheirLorasAndRanksCompareThem() {
    try (DiffusionPipeline pipeline = open(dynamic(2).loras(XLABS));
        DiffusionPipeline plain = open(dynamic(2));
        XDiTParallel ranks = ranks(pipeline);
        Generation own = ranks.generate(fox().build());
        Generation chosen = ranks.generate(fox().loras(KOHYA, XLABS).build());
        Generation none = ranks.generate(fox().loras(List.of()).build())) {
      assertThat(own.provenance(0).get("parameters"))
          .contains(", Lora: \"flux_xlabs.safetensors\",");
      assertThat(chosen.provenance(0).get("xfuser"))
          .contains(
              "\"loras\":[{\"name\":\"flux_kohya.safetensors\",\"scale\":0.5},"
                  + "{\"name\":\"flux_xlabs.safetensors\",\"scale\":1.0}]");
      assertThat(none.provenance(0).toString()).doesNotContainIgnoringCase("lora");
      assertThat(pipeline.fingerprint()).isNotEqualTo(plain.fingerprint());
    }
  }
}
