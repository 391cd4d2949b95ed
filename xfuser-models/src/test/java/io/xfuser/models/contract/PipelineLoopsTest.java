package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.config.EngineConfig;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.SafeTensors;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tiny pipelines with other schedulers than their own draw what diffusers draws: what each
 * pipeline's loop does with a scheduler. Made by scripts/fixtures/loop_reference.py.
 */
class PipelineLoopsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path LOOPS = DiffusersCall.FIXTURES.resolve("reference/loops");

  /** Of pixels between 0 and 1, in fp32. */
  private static final double TOLERANCE = 1e-3;

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
    EngineConfig engine = EngineConfig.of(withScheduler(loop)).withDtype(ElementType.FLOAT32);
    try (XDiTParallel serial = XDiTParallel.inProcess(engine.model().model(), engine);
        Generation generation = serial.generate(loop.call().input());
        NDManager manager = Torch.newManager();
        SafeTensors pixels = SafeTensors.openFile(LOOPS.resolve("pixels.safetensors"), null)) {
      NDArray theirs = pixels.get(manager, loop.name(), pixels.shape(loop.name()));
      NDArray ours = loop.call().strided(generation.tensor());
      assertThat(Pixels.largestDifference(ours, theirs)).isLessThanOrEqualTo(TOLERANCE);
    }
  }

  private Path withScheduler(Loop loop) throws IOException {
    Path copy = DirectoryCopy.of(loop.call().directory(), folder).directory();
    File index = copy.resolve("model_index.json").toFile();
    ObjectNode parts = (ObjectNode) JSON.readTree(index);
    JsonNode scheduler = loop.json().get("scheduler");
    parts.putArray("scheduler").add("diffusers").add(scheduler.get("_class_name").asText());
    JSON.writeValue(index, parts);
    JSON.writeValue(copy.resolve("scheduler/scheduler_config.json").toFile(), scheduler);
    return copy;
  }
}
