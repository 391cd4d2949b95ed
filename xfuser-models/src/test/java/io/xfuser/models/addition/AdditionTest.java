package io.xfuser.models.addition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.VaeDecoder;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.contract.Requests;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import io.xfuser.weights.Placement;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One of each kind that is found by {@link java.util.ServiceLoader}, added from outside: no list is
 * edited. They are seen by this test's class loader alone, which has their {@code META-INF}.
 */
class AdditionTest {
  private static final Path SOURCES = Path.of("src/test/java/io/xfuser/models/addition");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final ParallelConfig SERIAL = ParallelConfig.serial();
  private static final InputConfig FOX =
      InputConfig.builder("a fox")
          .size(64, 64)
          .guidanceScale(1)
          .numInferenceSteps(2)
          .outputType(OutputType.PT)
          .build();

  private final ClassLoader before = Thread.currentThread().getContextClassLoader();
  @TempDir Path directory;

  @BeforeEach
  void addProviders() throws IOException {
    URL services = Path.of("src/test/resources/addition/").toUri().toURL();
    Thread.currentThread().setContextClassLoader(new URLClassLoader(new URL[] {services}, before));
    DirectoryCopy.of(Requests.directory("pixart_sigma_tiny"), directory);
  }

  @AfterEach
  void forget() {
    Thread.currentThread().setContextClassLoader(before);
  }

  @Test
  void aBuiltPipelineDrawsWithAddedComponentsInEveryLayout() throws IOException {
    name("scheduler", "tokenizer", "text_encoder", "vae");
    assertEveryLayoutDraws(FOX.toBuilder().useResolutionBinning(false).build());
  }

  @Test
  void anAddedPipelineDrawsWithAnAddedTransformerAndWithBuiltComponents() throws IOException {
    name("transformer", "_class_name");
    assertEveryLayoutDraws(FOX);
    name("scheduler", "tokenizer", "text_encoder", "vae");
    assertEveryLayoutDraws(FOX);
  }

  /** {@link OutsidePipeline} names nothing internal, and reads the directory's weights. */
  @Test
  void aPipelineOfPublicTypesAloneReadsWeightsAndDraws() throws IOException {
    for (String part : List.of("Pipeline", "Transformer", "Scheduler", "Decoder")) {
      String name = (part.equals("Pipeline") ? "Outside" : "Added") + part + ".java";
      String text = Files.readString(SOURCES.resolve(name));
      assertThat(text).as(name).contains("import io.xfuser.").doesNotContain(".internal.");
    }
    name("outside");
    ParallelConfig tensor = SERIAL.toBuilder().ulyssesDegree(2).build();
    try (NDManager manager = Torch.newManager();
        DiffusionPipeline pipeline =
            DiffusionPipeline.fromPretrained(EngineConfig.builder(directory).build())) {
      EngineConfig engine = EngineConfig.builder(directory).parallel(tensor).build();
      try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
          Generation one = ranks.generate(FOX)) {
        assertThat(one.tensor().getShape().getShape()).containsExactly(1, 3, 64, 64);
      }
      try (PipelineComponents.Weights weights = components().weights("vae")) {
        assertThat(weights.names()).contains(OutsidePipeline.BIAS, "decoder.conv_in.weight");
        float[] bias =
            Torch.alias(manager, weights.get(manager, OutsidePipeline.BIAS, 3)).toFloatArray();
        try (VaeDecoder decoder = pipeline.model().vaeDecoder(Placement.CPU)) {
          assertThat(((AddedDecoder) decoder).added()).isEqualTo(-bias[0], within(1e-6f));
        }
        assertThatThrownBy(() -> weights.get(manager, OutsidePipeline.BIAS, 4))
            .isInstanceOf(ModelException.class)
            .hasMessageContaining(OutsidePipeline.BIAS);
        assertThatThrownBy(() -> weights.get(manager, "nothing", 4))
            .isInstanceOf(ModelException.class)
            .hasMessageContaining("nothing");
      }
    }
  }

  private PipelineComponents components() {
    return new PipelineComponents(
        directory,
        ComponentConfig.read(directory.resolve("model_index.json")),
        new LoadOptions(
            ElementType.FLOAT32,
            null,
            Placement.CPU,
            LoadOptions.Quantized.NOTHING,
            LoadOptions.NEVER));
  }

  @Test
  void whatAnAddedPipelineLacksIsRefusedByName() throws IOException {
    name("transformer", "_class_name");
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine(SERIAL))) {
      InputConfig eta = FOX.toBuilder().eta(0.5).build();
      assertThatThrownBy(() -> pipeline.model().resolve(eta)).hasMessage("added has no eta");
    }
  }

  @Test
  void anAddedEncoderNeedsATokenizerOfItsOwn() throws IOException {
    name("text_encoder");
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(engine(SERIAL)))
        .isInstanceOf(ModelException.class)
        .hasMessageEndingWith("tokenizer is T5Tokenizer, but only AddedTokenizer can be used here");
  }

  @Test
  void withoutTheProvidersTheClassesAreUnknown() throws IOException {
    name("scheduler");
    Thread.currentThread().setContextClassLoader(before);
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(engine(SERIAL)))
        .hasMessageContaining("scheduler is AddedScheduler, but only ");
  }

  private void assertEveryLayoutDraws(InputConfig input) {
    try (NDManager manager = Torch.newManager()) {
      NDArray serial = drawn(manager, input, SERIAL);
      assertThat(serial.getShape().getShape()).containsExactly(1, 3, 64, 64);
      assertThat(Pixels.largestDifference(drawn(manager, other(input), SERIAL), serial))
          .isGreaterThan(0.01);
      for (ParallelConfig ranks :
          List.of(
              SERIAL.toBuilder().ulyssesDegree(2).build(),
              SERIAL.toBuilder().pipefusionDegree(2).build())) {
        assertThat(Pixels.largestDifference(drawn(manager, input, ranks), serial))
            .as(ranks.label())
            .isLessThan(1e-4);
      }
    }
  }

  private static InputConfig other(InputConfig input) {
    return input.toBuilder().prompts("an enormous elephant indeed").build();
  }

  private NDArray drawn(NDManager manager, InputConfig input, ParallelConfig ranks) {
    try (XDiTParallel pipeline = XDiTParallel.inProcess(engine(ranks));
        Generation generation = pipeline.generate(input)) {
      return Torch.alias(manager, generation.tensor());
    }
  }

  /** Ranks share the text encoder: an added one can be shared too. */
  private EngineConfig engine(ParallelConfig ranks) {
    return EngineConfig.builder(directory)
        .parallel(ranks)
        .runtime(runtime -> runtime.shardTextEncoder(true).warmupSteps(2))
        .build();
  }

  /** Names the added classes of some components, or that of the pipeline, in the index. */
  private void name(String... parts) throws IOException {
    File index = directory.resolve("model_index.json").toFile();
    ObjectNode json = (ObjectNode) JSON.readTree(index);
    for (String part : parts) {
      switch (part) {
        case "outside" -> json.put("_class_name", "OutsidePipeline");
        case "_class_name" -> json.put(part, "AddedPipeline");
        case "text_encoder" -> json.putArray(part).add("transformers").add("AddedTextModel");
        case "tokenizer" -> json.putArray(part).add("transformers").add("AddedTokenizer");
        case "scheduler" -> json.putArray(part).add("diffusers").add("AddedScheduler");
        case "vae" -> json.putArray(part).add("diffusers").add("AddedVae");
        default -> json.putArray(part).add("diffusers").add("AddedTransformer");
      }
    }
    JSON.writeValue(index, json);
  }
}
