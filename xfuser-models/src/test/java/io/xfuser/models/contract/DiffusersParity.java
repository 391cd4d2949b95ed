package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.config.EngineConfig;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.SafeTensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Law 1: serial equals diffusers on the same directory with the same seed, for every call that
 * {@code fixtures/reference/<pipeline>/cases.json} records.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class DiffusersParity {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

  /** The names of the pipelines' directories, which are also those of their pictures. */
  protected abstract List<String> pipelines();

  /** Arguments of diffusers' call that no flag stands for: calls with them are left out. */
  protected Set<String> withoutFlag() {
    return Set.of();
  }

  Stream<DiffusersCall> calls() throws IOException {
    List<DiffusersCall> calls = new ArrayList<>();
    for (String pipeline : pipelines()) {
      Path folder = FIXTURES.resolve("reference").resolve(pipeline);
      JsonNode json = new ObjectMapper().readTree(folder.resolve("cases.json").toFile());
      long seed = json.get("seed").asLong();
      for (JsonNode one : json.get("cases")) {
        DiffusersCall call = new DiffusersCall(pipeline, seed, one);
        if (withoutFlag().stream().noneMatch(call::has)) {
          calls.add(call);
        }
      }
    }
    return calls.stream();
  }

  @ParameterizedTest
  @MethodSource("calls")
  void serialEqualsDiffusers(DiffusersCall call) {
    ElementType type = call.type();
    EngineConfig engine = EngineConfig.of(FIXTURES.resolve(call.pipeline())).withDtype(type);
    Path file = FIXTURES.resolve("reference").resolve(call.pipeline()).resolve(call.file());
    try (XDiTParallel serial = XDiTParallel.inProcess(engine.model().model(), engine);
        Generation generation = serial.generate(call.input());
        NDManager manager = Torch.newManager();
        SafeTensors reference = SafeTensors.openFile(file, null)) {
      NDArray whole = Torch.cast(manager, generation.tensor(), ElementType.FLOAT32);
      assertThat(whole.getShape().getShape()).isEqualTo(call.shape());
      NDArray ours = whole.get("..., ::{}, ::{}", call.stride(), call.stride());
      NDArray theirs = reference(manager, reference, "pixels");
      if (type == ElementType.FLOAT32) {
        assertThat(Pixels.largestDifference(ours, theirs)).isLessThanOrEqualTo(1e-3);
      } else {
        NDArray exact = reference(manager, reference, "pixels_float32");
        assertThat(Pixels.psnr(ours, theirs))
            .isGreaterThanOrEqualTo(Pixels.psnr(theirs, exact) - 1);
      }
    }
  }

  private static NDArray reference(NDManager manager, SafeTensors file, String name) {
    return Torch.cast(manager, file.get(manager, name, file.shape(name)), ElementType.FLOAT32);
  }
}
