package io.xfuser.models.internal.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineComponents.Given;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.Cut;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SingleFilesTest {
  private static final LoadOptions FLOATS = LoadOptions.of(ElementType.FLOAT32);
  private static final Path DEV = OneFile.directory("flux_dev_tiny");

  @TempDir Path files;
  private NDManager manager;

  @BeforeEach
  void open() {
    Torch.prepareThread(1);
    manager = Torch.newManager();
  }

  @AfterEach
  void close() {
    manager.close();
  }

  @ParameterizedTest
  @CsvSource({
    "flux_schnell_tiny, transformer, flux_schnell_tiny, model.diffusion_model.",
    "flux_dev_tiny, transformer, flux_dev_tiny, ''",
    "sd3_tiny, transformer, sd3_tiny, model.diffusion_model.",
    "sd35_medium_tiny, transformer, sd35_medium_tiny, ''",
    "flux_dev_tiny, vae, vae, first_stage_model.",
    "qwenimage_tiny, transformer, qwenimage_tiny, model.diffusion_model.",
    "qwenimage_tiny, vae, causal_vae, ''",
    "wan22_5b_tiny, vae, residual_vae, vae.",
    "flux_dev_tiny, text_encoder_2, t5_gguf, ''"
  })
  void tensorsAndTheirPartsAreThoseOfTheDirectory(
      String pipeline, String component, String table, String prefix) throws IOException {
    Path folder = OneFile.directory(pipeline).resolve(component);
    OneFile file = new OneFile(manager).add(folder, table, prefix);
    Path path = file.write(files.resolve("x.safetensors"));
    if (table.endsWith("gguf")) {
      path = GgufWriter.write(files.resolve("x.gguf"), "t5encoder", file.tensors());
    }
    PipelineComponents components =
        new PipelineComponents(
            OneFile.directory(pipeline),
            ComponentConfig.read(OneFile.directory(pipeline).resolve("model_index.json")),
            FLOATS,
            Map.of(component, new Given(path, prefix, null)));
    String base = component.startsWith("text") ? "model" : "diffusion_pytorch_model";
    try (ComponentWeights theirs = ComponentWeights.open(folder, base, FLOATS);
        ComponentWeights ours = ComponentWeights.open(components, component)) {
      assertThat(ours.names()).containsExactlyInAnyOrderElementsOf(theirs.names());
      for (String name : theirs.names()) {
        equal(name, theirs, ours);
      }
    }
  }

  private void equal(String name, ComponentWeights theirs, ComponentWeights ours) {
    long[] shape = theirs.shape(name);
    assertThat(ours.shape(name)).as(name).isEqualTo(shape);
    assertThat(ours.handedOut().get(manager, name, shape).toFloatArray())
        .as(name)
        .isEqualTo(theirs.handedOut().get(manager, name, shape).toFloatArray());
    for (int dim = 0; dim < shape.length; dim++) {
      for (Cut cut :
          List.of(
              new Cut(dim, shape[dim] / 3, shape[dim]), new Cut(dim, 0, (shape[dim] + 1) / 2))) {
        assertThat(ours.handedOut().get(manager, cut, name, shape).toFloatArray())
            .as("%s %s", name, cut)
            .isEqualTo(theirs.handedOut().get(manager, cut, name, shape).toFloatArray());
      }
    }
  }

  /** What else is in the file is taken from there. */
  private Path allInOne() throws IOException {
    return new OneFile(manager)
        .add(DEV.resolve("transformer"), "flux_dev_tiny", "model.diffusion_model.")
        .add(DEV.resolve("vae"), "vae", "vae.")
        .add(DEV.resolve("text_encoder_2"), "text_encoders.t5xxl.transformer.")
        .write(files.resolve("all.safetensors"));
  }

  @Test
  void whatIsInTheFileNeedsNotBeGivenAndEveryLayoutDrawsTheSame() throws IOException {
    ModelConfig whole =
        ModelConfig.builder(allInOne())
            .part("text_encoder", DEV.resolve("text_encoder"))
            .part("tokenizer_2", DEV.resolve("tokenizer_2"))
            .part("vae", DEV.resolve("vae"))
            .build();
    try (Generation expected = draw(ModelConfig.builder(DEV).build(), ParallelConfig.serial());
        Generation serial = draw(whole, ParallelConfig.serial());
        Generation parallel =
            draw(whole, ParallelConfig.builder().tensorDegree(2).pipefusionDegree(2).build())) {
      assertThat(Pixels.largestDifference(serial.tensor(), expected.tensor())).isZero();
      assertThat(Pixels.largestDifference(parallel.tensor(), serial.tensor())).isLessThan(1e-4);
    }
  }

  private static Generation draw(ModelConfig model, ParallelConfig layout) {
    EngineConfig engine =
        EngineConfig.builder(model)
            .parallel(layout)
            .runtime(r -> r.threads(1).warmupSteps(2))
            .build();
    InputConfig input =
        InputConfig.builder("a fox")
            .height(48)
            .width(48)
            .numInferenceSteps(2)
            .maxSequenceLength(20)
            .outputType(OutputType.PT)
            .build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine)) {
      return ranks.generate(input);
    }
  }

  @Test
  void aDirectoryTakesAnotherPart() throws IOException {
    Path t5 =
        GgufWriter.write(
            files.resolve("t5.gguf"),
            "t5encoder",
            new OneFile(manager).add(DEV.resolve("text_encoder_2"), "t5_gguf", "").tensors());
    Path clip =
        new OneFile(manager)
            .add(DEV.resolve("text_encoder"), "")
            .write(files.resolve("clip_l.safetensors"));
    Path vae =
        new OneFile(manager)
            .add(DEV.resolve("vae"), "vae", "")
            .write(files.resolve("ae.safetensors"));
    ModelConfig model =
        ModelConfig.builder(DEV)
            .part("text_encoder_2", t5)
            .part("text_encoder", clip)
            .part("vae", vae)
            .build();
    try (Generation expected = draw(ModelConfig.builder(DEV).build(), ParallelConfig.serial());
        Generation found = draw(model, ParallelConfig.serial())) {
      assertThat(Pixels.largestDifference(found.tensor(), expected.tensor())).isZero();
    }
  }

  @Test
  void weightsThatKeepTheirTypesDrawTheSame() {
    ModelConfig keeping = ModelConfig.builder(DEV).keepWeightTypes(true).build();
    ParallelConfig stages = ParallelConfig.builder().pipefusionDegree(2).build();
    try (Generation expected = draw(ModelConfig.builder(DEV).build(), stages);
        Generation found = draw(keeping, stages)) {
      assertThat(Pixels.largestDifference(found.tensor(), expected.tensor())).isZero();
    }
    assertThatThrownBy(() -> ModelConfig.builder(DEV).set(ModelConfig.WEIGHTS_DTYPE, "some"))
        .hasMessage("weights_dtype must be widen or keep, but is some");
  }

  @Test
  void ranksWithOtherFilesHaveOtherContents() throws IOException {
    ModelConfig.Builder model = ModelConfig.builder(DEV);
    Map<String, String> contents = contents(model.build());
    Path vae =
        new OneFile(manager)
            .add(DEV.resolve("vae"), "vae", "")
            .write(files.resolve("ae.safetensors"));
    Map<String, String> others = contents(model.part("vae", vae).build());
    assertThat(others).containsKeys(contents.keySet().toArray(String[]::new));
    assertThat(others.get("vae/ with the digest"))
        .isNotNull()
        .isNotEqualTo(contents.get("vae/ with the digest"));
  }

  private static Map<String, String> contents(ModelConfig model) {
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(model)) {
      return pipeline.model().contents();
    }
  }

  @Test
  void whatIsMissingIsNamedInOneSentence() throws IOException {
    Path file =
        new OneFile(manager)
            .add(DEV.resolve("transformer"), "flux_dev_tiny", "")
            .write(files.resolve("flux.safetensors"));
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(ModelConfig.builder(file).build()))
        .isInstanceOf(ModelException.class)
        .hasMessage(
            file
                + " is a Flux.1 transformer alone: what is missing is given by vae, text_encoder,"
                + " text_encoder_2");
    ModelConfig wrong =
        OneFile.beside(file, DEV).part("text_encoder_2", DEV.resolve("vae")).build();
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(wrong))
        .isInstanceOf(ModelException.class);
    ModelConfig more = OneFile.beside(file, DEV).part("text_encoder_3", DEV).build();
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(more))
        .hasMessage(file + " is a Flux.1 transformer, which has no text_encoder_3");
    ModelConfig mixed = OneFile.beside(file, DEV).part("vae", file).build();
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(mixed))
        .hasMessage("vae: " + file + " is a Flux.1 transformer");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "model.diffusion_model.cap_embedder.0.weight | a Lumina 2 transformer",
        "model.diffusion_model.head.modulation | a Wan transformer",
        "nerf_blocks.0.param_generator.weight | a Chroma Radiance transformer",
        "conditioner.embedders.1.model.ln_final.bias | a Stable Diffusion XL model",
        "model.diffusion_model.input_blocks.0.0.weight | a Stable Diffusion 1 or 2 model",
        "lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight | a LoRA",
        "transformer.transformer_blocks.0.attn.to_q.lora_A.weight | a LoRA",
        "model.layers.0.self_attn.q_proj.weight | a language model",
        "something | a file of 1 tensors of an unknown kind"
      })
  void filesOfModelsThatAreNotBuiltAreNamed(String tensor, String kind) throws IOException {
    Map<String, NDArray> tensors = new LinkedHashMap<>();
    tensors.put(tensor, manager.ones(new Shape(2)));
    Path file = files.resolve("other.safetensors");
    SafeTensorsWriter.write(file, tensors);
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(ModelConfig.builder(file).build()))
        .isInstanceOf(ModelException.class)
        .hasMessage(file + " is " + kind + ", not a model that can be drawn with");
  }

  @Test
  void inspectingAFileSaysWhatItIsAndWhatItLacks() throws IOException {
    Map<String, Object> report = new SingleFiles().inspect(allInOne(), Map.of());
    assertThat(report)
        .containsEntry("is", "a Flux.1 transformer and a T5 encoder and an autoencoder")
        .containsEntry("pipeline", "FluxPipeline")
        .containsEntry("supported", true)
        .containsEntry("missing", List.of("text_encoder", "tokenizer_2"));
    assertThat(String.valueOf(report.get("types"))).contains("BF16", "F16");
    assertThat((List<?>) report.get("components")).hasSize(3);
    Map<String, Object> directory = new SingleFiles().inspect(DEV, Map.of());
    assertThat(directory)
        .containsEntry("pipeline", "FluxPipeline")
        .containsEntry("missing", List.of());
    assertThat((List<?>) directory.get("components")).hasSize(7);
    Path none = Files.createDirectory(files.resolve("none"));
    assertThatThrownBy(() -> new SingleFiles().inspect(none, Map.of()))
        .hasMessageStartingWith(
            none + " has no model_index.json, so it is not a diffusers pipeline");
  }

  @Test
  void aCommandLineNamesAFileAsItNamesADirectory() throws IOException {
    Path file = Files.createFile(files.resolve("x.gguf"));
    assertThat(ModelConfig.named(file.toString(), null).build().directory()).contains(file);
    assertThat(ModelConfig.named("org/flux.safetensors", null).build().directory())
        .contains(Path.of("org/flux.safetensors"));
    assertThat(ModelConfig.named("org/flux", null).build().name()).isPresent();
  }
}
