package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tiny pipelines with LoRAs in all styles draw what W + s·B·A draws in diffusers, which its own
 * loader does too where it reads a style rightly. Made by scripts/fixtures/lora_reference.py.
 */
class LoraPicturesTest {
  private static final Path LORAS = DiffusersCall.FIXTURES.resolve("loras");

  /** Of pixels between 0 and 1, in fp32. */
  private static final double TOLERANCE = 1e-3;

  /** Between layouts of ranks, over the largest of the latents. */
  private static final double RANKS = 1e-4;

  /** A call of a pipeline with LoRAs. */
  record Drawn(Path folder, int stride, DiffusersCall call, List<String> loras) {
    @Override
    public String toString() {
      return call.json().get("name").asText();
    }

    ModelConfig model() {
      List<String> places = loras.stream().map(file -> folder + "/" + file).toList();
      return ModelConfig.builder(call.directory()).loras(places).build();
    }

    NDArray picture(NDManager manager, UnaryOperator<EngineConfig> how) {
      EngineConfig engine = how.apply(EngineConfig.builder(model()).build());
      try (XDiTParallel ranks = XDiTParallel.inProcess(engine);
          Generation generation = ranks.generate(call.input())) {
        return Torch.alias(manager, generation.tensor());
      }
    }
  }

  static Stream<Drawn> cases() throws IOException {
    return Stream.concat(in(LORAS), in(LORAS.resolve("kin")));
  }

  private static Stream<Drawn> in(Path folder) throws IOException {
    JsonNode all = new ObjectMapper().readTree(folder.resolve("cases.json").toFile());
    List<Drawn> cases = new ArrayList<>();
    for (JsonNode one : all.get("cases")) {
      cases.add(
          new Drawn(
              folder,
              all.get("pixels_stride").asInt(),
              new DiffusersCall(one.get("pipeline").asText(), all.get("seed").asLong(), one),
              StreamSupport.stream(one.get("loras").spliterator(), false)
                  .map(JsonNode::asText)
                  .toList()));
    }
    return cases.stream();
  }

  /** But for those that are drawn together, and those that {@link LoraFormsTest} compares. */
  static Stream<Drawn> fewCases() throws IOException {
    List<String> elsewhere = List.of("flux_diffusers", "flux_xlabs", "flux_dora", "sd3_kohya");
    return cases().filter(one -> CoveringArray.ALL || !elsewhere.contains(one.toString()));
  }

  @ParameterizedTest
  @MethodSource("fewCases")
  void everyStyleAddsTheSame(Drawn drawn) {
    try (NDManager manager = Torch.newManager();
        FileWeights pixels =
            FileWeights.openFile(drawn.folder().resolve("pixels.safetensors"), null)) {
      NDArray whole = drawn.picture(manager, engine -> engine);
      NDArray ours = whole.get("..., ::{}, ::{}", drawn.stride(), drawn.stride());
      NDArray theirs = pixels.get(manager, drawn.toString(), pixels.shape(drawn.toString()));
      assertThat(Pixels.largestDifference(ours, theirs)).isLessThanOrEqualTo(TOLERANCE);
    }
  }

  /** Shares of B's rows and A's columns, of Kronecker products, of norms over rows and columns. */
  @ParameterizedTest
  @ValueSource(strings = {"flux_lycoris", "hunyuan_authors"})
  void everyLayoutDrawsTheSame(String name) throws IOException {
    Drawn drawn = cases().filter(one -> one.toString().equals(name)).findFirst().orElseThrow();
    ParallelConfig patches = ParallelConfig.serial().toBuilder().numPipelinePatch(2).build();
    EngineConfig serial = EngineConfig.builder(drawn.model()).build();
    EngineConfig ulysses =
        serial.toBuilder()
            .parallel(ranks -> ranks.ulyssesDegree(2))
            .runtime(r -> r.shardTextEncoder(true))
            .build();
    EngineConfig patched = serial.toBuilder().parallel(patches).build();
    EngineConfig stages =
        serial.toBuilder()
            .parallel(patches.toBuilder().tensorDegree(2).pipefusionDegree(2).build())
            .build();
    try (NDManager manager = Torch.newManager();
        DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(serial)) {
      for (List<EngineConfig> two : List.of(List.of(serial, ulysses), List.of(patched, stages))) {
        NDArray expected = latents(manager, pipeline, two.get(0), drawn);
        NDArray found = latents(manager, pipeline, two.get(1), drawn);
        assertThat(Pixels.largestDifference(found, expected))
            .isLessThanOrEqualTo(RANKS * Pixels.largest(expected));
      }
    }
  }

  private static NDArray latents(
      NDManager manager, DiffusionPipeline pipeline, EngineConfig engine, Drawn drawn) {
    InputConfig input = drawn.call().input().toBuilder().outputType(OutputType.LATENT).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
        Generation generation = ranks.generate(input)) {
      return Torch.alias(manager, generation.tensor());
    }
  }

  @Tag("complete")
  @ParameterizedTest
  @ValueSource(
      strings = {"flux_kohya", "flux2_comfyui", "pixart_original", "sd3_kohya", "zimage_authors"})
  void soItDoesInOtherStyles(String name) throws IOException {
    everyLayoutDrawsTheSame(name);
  }
}
