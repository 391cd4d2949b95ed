package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Law 1: serial, with several threads, equals diffusers on the same directory with the same seed,
 * for every call that {@code fixtures/reference/<pipeline>/cases.json} records.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class DiffusersParity {
  /**
   * In dB. On a CPU that multiplies in another type, ours is rounded elsewhere than theirs: squares
   * of independent errors add up. Ours may be 1 dB larger than theirs, which is what one picture's
   * chance allows.
   */
  static final double BOTH_ERRORS = 10 * Math.log10(1 + Math.pow(10, 0.1));

  /**
   * Pixels of one picture from which on it is drawn with the profile {@code complete} alone. So is
   * all that HunyuanDiT bins, whose smallest size is above; its pipeline's test has the sizes.
   */
  private static final long LARGE = 1 << 19;

  private final Map<EngineConfig, DiffusionPipeline> opened = new HashMap<>();

  /** The names of the pipelines' directories, which are also those of their pictures. */
  protected abstract List<String> pipelines();

  /** What is opened in the place of {@code directory}, by default it. */
  protected ModelConfig model(Path directory) {
    return ModelConfig.builder(directory).build();
  }

  /** Whether all calls are tried, or one of each element type. */
  protected boolean everyCall() {
    return true;
  }

  @AfterAll
  void close() {
    opened.values().forEach(DiffusionPipeline::close);
  }

  private DiffusionPipeline opened(EngineConfig engine) {
    return opened.computeIfAbsent(engine, DiffusionPipeline::fromPretrained);
  }

  /** What each call's name stands for is tried with one of the pipelines, in the ordinary build. */
  Stream<DiffusersCall> calls() throws IOException {
    List<DiffusersCall> calls = new ArrayList<>();
    for (String pipeline : pipelines()) {
      Set<ElementType> types = EnumSet.noneOf(ElementType.class);
      DiffusersCall.of(pipeline).stream()
          .filter(call -> types.add(call.type()) || everyCall())
          .filter(call -> CoveringArray.ALL || call.pixels() < LARGE)
          .forEach(calls::add);
    }
    return CoveringArray.of(calls, 0, DiffusersParity::shows, DiffusersCall::cost).stream();
  }

  /** Its name, with a picture or without; in each type where blocks are not another pipeline's. */
  private static Set<?> shows(DiffusersCall call) {
    String name = call.json().get("name").asText();
    List<?> given = List.of(call.pipeline(), call.json().get("call").hasNonNull("image"));
    return LayoutDeal.VARIANTS.contains(call.pipeline())
        ? Set.of(name, given)
        : Set.of(name, given, List.of(call.pipeline(), call.type()));
  }

  @ParameterizedTest
  @MethodSource("calls")
  void serialEqualsDiffusers(DiffusersCall call) {
    ElementType type = call.type();
    EngineConfig engine =
        EngineConfig.builder(model(call.directory()))
            .runtime(r -> r.dtype(type).threads(2))
            .build();
    try (XDiTParallel serial = XDiTParallel.inProcess(opened(engine), engine);
        Generation generation = serial.generate(call.input());
        NDManager manager = Torch.newManager()) {
      NDArray whole = Torch.cast(manager, generation.tensor(), ElementType.FLOAT32);
      assertThat(whole.getShape().getShape()).isEqualTo(call.shape());
      NDArray ours = call.strided(whole);
      NDArray theirs = call.reference(manager, "pixels");
      if (type == ElementType.FLOAT32) {
        assertThat(Pixels.largestDifference(ours, theirs)).isLessThanOrEqualTo(1e-3);
      } else {
        NDArray exact = call.reference(manager, "pixels_float32");
        assertThat(Pixels.psnr(ours, theirs))
            .isGreaterThanOrEqualTo(Pixels.psnr(theirs, exact) - BOTH_ERRORS);
      }
    }
  }
}
