package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tiny pipelines with other schedulers than their own, or an AutoencoderTiny, draw what diffusers
 * draws: what each pipeline's loop does with a scheduler, and what the arguments of its call do.
 * Made by scripts/fixtures/loop_reference.py and argument_reference.py.
 */
class PipelineLoopsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path REFERENCES = DiffusersCall.FIXTURES.resolve("reference");

  /** Of pixels between 0 and 1, in fp32. */
  private static final double TOLERANCE = 1e-3;

  /** Between layouts of ranks, over the largest of the latents. */
  private static final double RANKS = 1e-4;

  private static final ParallelConfig SERIAL = ParallelConfig.serial();

  private static final Map<Path, DiffusionPipeline> OPENED = new HashMap<>();

  @TempDir Path folder;

  @AfterAll
  static void close() {
    OPENED.values().forEach(DiffusionPipeline::close);
  }

  /** A pipeline, a call of it, and a scheduler's settings. */
  record Loop(String folder, long seed, JsonNode json) {
    String name() {
      return json.get("name").asText();
    }

    int steps() {
      return json.get("call").path("num_inference_steps").asInt();
    }

    DiffusersCall call() {
      return new DiffusersCall(json.get("pipeline").asText(), seed, json);
    }

    @Override
    public String toString() {
      return name();
    }
  }

  static Stream<Loop> loops() throws IOException {
    return all("loops");
  }

  /**
   * Every pipeline, and every scheduler by its class, its dynamic shifting and its algorithm, with
   * several steps and with one where there are such loops. What else schedulers can be set to is
   * held without pipelines, by {@code DiffusersSchedulersTest}.
   */
  static List<Loop> fewLoops() throws IOException {
    List<Loop> all = loops().toList();
    return CoveringArray.of(all, 0, PipelineLoopsTest::shows, loop -> 1 + loop.steps());
  }

  private static Set<?> shows(Loop loop) {
    JsonNode scheduler = loop.json().get("scheduler");
    String kind =
        scheduler.get("_class_name").asText()
            + scheduler.path("use_dynamic_shifting")
            + scheduler.path("algorithm_type")
            + (loop.steps() == 1);
    return Set.of(loop.call().pipeline(), kind, "tiny VAE " + loop.json().get("tiny_vae"));
  }

  static Stream<Loop> calls() throws IOException {
    return all("arguments");
  }

  private static Stream<Loop> all(String folder) throws IOException {
    JsonNode all = JSON.readTree(REFERENCES.resolve(folder).resolve("cases.json").toFile());
    long seed = all.get("seed").asLong();
    return all.get("cases").valueStream().map(one -> new Loop(folder, seed, one));
  }

  @ParameterizedTest
  @MethodSource("calls")
  void everyArgumentOfACallDoesWhatItDoesInDiffusers(Loop call) throws IOException {
    if (call.json().get("scheduler").isNull()) {
      requireTheirs(call, OPENED.computeIfAbsent(call.call().directory(), PipelineLoopsTest::open));
    } else {
      everyLoopEqualsDiffusers(call);
    }
  }

  @ParameterizedTest
  @MethodSource("fewLoops")
  void everyLoopEqualsDiffusers(Loop loop) throws IOException {
    try (DiffusionPipeline pipeline = open(withScheduler(loop))) {
      requireTheirs(loop, pipeline);
    }
  }

  private static void requireTheirs(Loop loop, DiffusionPipeline pipeline) {
    EngineConfig engine =
        EngineConfig.builder(Path.of("none")).runtime(r -> r.dtype(ElementType.FLOAT32)).build();
    try (XDiTParallel serial = XDiTParallel.inProcess(pipeline, engine);
        Generation generation = serial.generate(loop.call().input());
        NDManager manager = Torch.newManager();
        FileWeights pixels =
            FileWeights.openFile(
                REFERENCES.resolve(loop.folder()).resolve("pixels.safetensors"), null)) {
      NDArray theirs = pixels.get(manager, loop.name(), pixels.shape(loop.name()));
      NDArray ours = loop.call().strided(generation.tensor());
      assertThat(Pixels.largestDifference(ours, theirs)).isLessThanOrEqualTo(TOLERANCE);
    }
  }

  /** Noise for the whole picture, histories cut with it, and steps of two calls of the model. */
  @ParameterizedTest
  @ValueSource(strings = {"sigma_sde_4", "sigma_heun_3", "sd3_unipc_4"})
  void everyLayoutDrawsTheSame(String name) throws IOException {
    Loop loop = loops().filter(one -> one.name().equals(name)).findFirst().orElseThrow();
    try (NDManager manager = Torch.newManager();
        DiffusionPipeline pipeline = open(withScheduler(loop))) {
      ParallelConfig patches = SERIAL.toBuilder().numPipelinePatch(3).build();
      NDArray patched = drawn(manager, loop, pipeline, patches);
      assertThat(drawn(manager, loop, pipeline, patches.toBuilder().pipefusionDegree(2).build()))
          .satisfies(close(patched));
      if (CoveringArray.ALL || name.equals("sigma_sde_4")) { // as it is the same for all latents
        NDArray serial = drawn(manager, loop, pipeline, SERIAL);
        ParallelConfig whole = SERIAL.toBuilder().ulyssesDegree(2).cfgDegree(2).build();
        assertThat(drawn(manager, loop, pipeline, whole)).satisfies(close(serial));
        assertThat(Pixels.largestDifference(patched, serial))
            .isGreaterThan(RANKS * Pixels.largest(serial));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd3_skip_layers", "sd35_skip_layers"})
  void guidanceAwayFromLayersIsTheSameOnManyRanks(String name) throws IOException {
    Loop loop = calls().filter(one -> one.name().equals(name)).findFirst().orElseThrow();
    List<ParallelConfig> all =
        List.of(
            SERIAL.toBuilder().cfgDegree(2).build(),
            SERIAL.toBuilder().cfgDegree(2).ulyssesDegree(2).build(),
            SERIAL.toBuilder().tensorDegree(2).ringDegree(2).build());
    try (NDManager manager = Torch.newManager();
        DiffusionPipeline pipeline = open(loop.call().directory())) {
      NDArray serial = drawn(manager, loop, pipeline, SERIAL);
      for (ParallelConfig ranks : CoveringArray.part(all, name.startsWith("sd35") ? 0 : 2, 3)) {
        assertThat(drawn(manager, loop, pipeline, ranks))
            .as(ranks.label())
            .satisfies(close(serial));
      }
    }
  }

  @Test
  void guidanceAwayFromLayersNeedsWholeTransformersAndPictures() throws IOException {
    Loop loop =
        calls().filter(one -> one.name().equals("sd3_skip_layers")).findFirst().orElseThrow();
    try (NDManager manager = Torch.newManager();
        DiffusionPipeline pipeline = open(loop.call().directory())) {
      for (ParallelConfig ranks :
          List.of(
              SERIAL.toBuilder().pipefusionDegree(2).numPipelinePatch(3).build(),
              SERIAL.toBuilder().numPipelinePatch(3).build(),
              SERIAL.toBuilder().distrifusionDegree(2).build())) {
        assertThatThrownBy(() -> drawn(manager, loop, pipeline, ranks))
            .isInstanceOf(ArgumentException.class)
            .hasMessageStartingWith("skip_guidance_layers needs all blocks and the whole picture");
      }
    }
  }

  private static DiffusionPipeline open(Path directory) {
    return DiffusionPipeline.fromPretrained(EngineConfig.of(directory).model());
  }

  /** Latents, whose decoding is another law. */
  private static NDArray drawn(
      NDManager manager, Loop loop, DiffusionPipeline pipeline, ParallelConfig ranks) {
    EngineConfig engine = EngineConfig.builder(Path.of("none")).parallel(ranks).build();
    InputConfig input = loop.call().input().toBuilder().outputType(OutputType.LATENT).build();
    try (XDiTParallel parallel = XDiTParallel.inProcess(pipeline, engine);
        Generation generation = parallel.generate(input)) {
      return Torch.alias(manager, generation.tensor());
    }
  }

  private static Consumer<NDArray> close(NDArray expected) {
    return found ->
        assertThat(Pixels.largestDifference(found, expected))
            .isLessThanOrEqualTo(RANKS * Pixels.largest(expected));
  }

  private Path withScheduler(Loop loop) throws IOException {
    return withScheduler(loop, folder);
  }

  /** A copy of the loop's pipeline in {@code folder} with the loop's scheduler. */
  static Path withScheduler(Loop loop, Path folder) throws IOException {
    Path copy = DirectoryCopy.of(loop.call().directory(), folder).directory();
    File index = copy.resolve("model_index.json").toFile();
    ObjectNode parts = (ObjectNode) JSON.readTree(index);
    JsonNode scheduler = loop.json().get("scheduler");
    if (scheduler.isNull()) {
      return copy;
    }
    parts.putArray("scheduler").add("diffusers").add(scheduler.get("_class_name").asText());
    if (loop.json().get("tiny_vae").asBoolean()) {
      parts.putArray("vae").add("diffusers").add("AutoencoderTiny");
      DirectoryCopy.delete(copy.resolve("vae"));
      DirectoryCopy.of(DiffusersCall.FIXTURES.resolve("vae_tiny"), copy.resolve("vae"));
    }
    JSON.writeValue(index, parts);
    JSON.writeValue(copy.resolve("scheduler/scheduler_config.json").toFile(), scheduler);
    return copy;
  }
}
