package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tiny pipelines with other schedulers than their own, or an AutoencoderTiny, draw what diffusers
 * draws: what each pipeline's loop does with a scheduler. Made by
 * scripts/fixtures/loop_reference.py.
 */
class PipelineLoopsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path LOOPS = DiffusersCall.FIXTURES.resolve("reference/loops");

  /** Of pixels between 0 and 1, in fp32. */
  private static final double TOLERANCE = 1e-3;

  /** Between layouts of ranks. */
  private static final double RANKS = 1e-4;

  private static final ParallelConfig SERIAL = ParallelConfig.serial();

  @TempDir Path folder;

  /** A pipeline, a call of it, and a scheduler's settings. */
  record Loop(long seed, JsonNode json) {
    String name() {
      return json.get("name").asText();
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
    JsonNode all = JSON.readTree(LOOPS.resolve("cases.json").toFile());
    List<Loop> loops = new ArrayList<>();
    all.get("cases").forEach(one -> loops.add(new Loop(all.get("seed").asLong(), one)));
    return loops.stream();
  }

  @ParameterizedTest
  @MethodSource("loops")
  void everyLoopEqualsDiffusers(Loop loop) throws IOException {
    EngineConfig engine =
        EngineConfig.builder(withScheduler(loop))
            .runtime(r -> r.dtype(ElementType.FLOAT32))
            .build();
    try (XDiTParallel serial = XDiTParallel.inProcess(engine);
        Generation generation = serial.generate(loop.call().input());
        NDManager manager = Torch.newManager();
        FileWeights pixels = FileWeights.openFile(LOOPS.resolve("pixels.safetensors"), null)) {
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
    Path directory = withScheduler(loop);
    try (NDManager manager = Torch.newManager()) {
      NDArray serial = drawn(manager, loop, directory, SERIAL);
      assertThat(
              drawn(
                  manager,
                  loop,
                  directory,
                  SERIAL.toBuilder().ulyssesDegree(2).cfgDegree(2).build()))
          .satisfies(close(serial));
      ParallelConfig patches = SERIAL.toBuilder().numPipelinePatch(3).build();
      NDArray patched = drawn(manager, loop, directory, patches);
      assertThat(drawn(manager, loop, directory, patches.toBuilder().pipefusionDegree(2).build()))
          .satisfies(close(patched));
      assertThat(Pixels.largestDifference(patched, serial)).isGreaterThan(RANKS);
    }
  }

  private static NDArray drawn(NDManager manager, Loop loop, Path directory, ParallelConfig ranks) {
    EngineConfig engine = EngineConfig.builder(directory).parallel(ranks).build();
    try (XDiTParallel pipeline = XDiTParallel.inProcess(engine);
        Generation generation = pipeline.generate(loop.call().input())) {
      return Torch.alias(manager, generation.tensor());
    }
  }

  private static Consumer<NDArray> close(NDArray expected) {
    return found ->
        assertThat(Pixels.largestDifference(found, expected)).isLessThanOrEqualTo(RANKS);
  }

  private Path withScheduler(Loop loop) throws IOException {
    Path copy = DirectoryCopy.of(loop.call().directory(), folder).directory();
    File index = copy.resolve("model_index.json").toFile();
    ObjectNode parts = (ObjectNode) JSON.readTree(index);
    JsonNode scheduler = loop.json().get("scheduler");
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
