package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.internal.kernels.CpuLauncher;
import io.xfuser.internal.kernels.FusedKernels;
import io.xfuser.internal.kernels.Launch;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.models.contract.Requests;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pictures drawn with the CUDA kernels, compiled for the CPU and launched as on a GPU. */
class FusedPictureTest {
  private static final ParallelConfig SERIAL = ParallelConfig.serial();

  /**
   * Launches of one step. A double block of Flux or SD3 has two adaLN and two gates for the image
   * and for the text each, and a norm for each; a second attention adds one of each. A single block
   * has an adaLN and a gate for image and text each, and one norm. The text ends in the last block.
   * The head has an adaLN.
   */
  @ParameterizedTest
  @CsvSource({
    // adaLN, gates, norms
    "flux_dev_tiny, 12, 13, 7",
    "sd35_large_tiny, 24, 22, 12",
    "pixart_sigma_tiny, 19, 18, 0",
  })
  void aPictureByOwnKernelsIsTheSame(String model, int adaLn, int gates, int norms) {
    CpuLauncher cpu = new CpuLauncher();
    compare(model, ElementType.FLOAT32, SERIAL, cpu, 1e-5);
    Map<String, Long> expected = new TreeMap<>();
    expected.put("modulate_float32", (long) adaLn);
    expected.put("add_gated_float32", (long) gates);
    expected.put("norm_rotate_float32", (long) norms);
    expected.values().removeIf(count -> count == 0);
    assertThat(counts(cpu)).isEqualTo(expected);
  }

  @Tag("complete")
  @Test
  void soItIsWithoutNorms() {
    aPictureByOwnKernelsIsTheSame("sd3_tiny", 24, 22, 0);
  }

  private static Map<String, Long> counts(CpuLauncher cpu) {
    return cpu.launched().stream()
        .collect(Collectors.groupingBy(Launch::kernel, TreeMap::new, Collectors.counting()));
  }

  @Test
  void patchesAndSharesOfABlockAreTheSameToo() { // shards of tokens are like patches
    ParallelConfig shares = SERIAL.toBuilder().tensorDegree(2).build();
    for (ParallelConfig layout :
        CoveringArray.part(
            List.of(
                shares.toBuilder().pipefusionDegree(2).numPipelinePatch(2).build(),
                shares.toBuilder().ulyssesDegree(2).build()),
            0,
            2)) {
      CpuLauncher cpu = new CpuLauncher();
      compare("flux_schnell_tiny", ElementType.FLOAT32, layout, cpu, 1e-5);
      assertThat(counts(cpu)).containsKeys("modulate_float32", "norm_rotate_float32");
    }
  }

  @Test
  void inHalfPrecisionThePictureIsAsNearAsItsType() {
    CpuLauncher cpu = new CpuLauncher();
    compare("sd35_medium_tiny", ElementType.BFLOAT16, SERIAL, cpu, 0.1);
    assertThat(counts(cpu))
        .containsOnlyKeys("add_gated_bfloat16", "modulate_bfloat16", "norm_rotate_bfloat16");
  }

  @Tag("gpu")
  @ParameterizedTest
  @ValueSource(strings = {"flux_dev_tiny", "sd35_medium_tiny", "pixart_sigma_tiny"})
  void aGpuDrawsTheSamePictureByOwnKernels(String model) {
    EngineConfig engine = engine(model, ElementType.FLOAT32, SERIAL, "cuda:0");
    EngineConfig fused = engine.toBuilder().runtime(r -> r.fusedKernels(true)).build();
    try (XDiTParallel libtorch = XDiTParallel.inProcess(engine);
        XDiTParallel own = XDiTParallel.inProcess(fused)) {
      assertNear(draw(own, model, 2), draw(libtorch, model, 2), 1e-4);
    }
  }

  private static EngineConfig engine(
      String model, ElementType type, ParallelConfig layout, String device) {
    return EngineConfig.builder(Requests.directory(model))
        .parallel(layout)
        .runtime(r -> r.dtype(type).device(device))
        .build();
  }

  private static void compare(
      String model, ElementType type, ParallelConfig layout, CpuLauncher cpu, double tolerance) {
    EngineConfig engine = engine(model, type, layout, "cpu");
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine);
        XDiTParallel fused = new XDiTParallel(pipeline, () -> {}, engine, ranks(engine, cpu));
        XDiTParallel libtorch = XDiTParallel.inProcess(pipeline, engine)) {
      int steps = layout.equals(SERIAL) ? 1 : 2; // of which the second has stale patches
      assertNear(draw(fused, model, steps), draw(libtorch, model, steps), tolerance);
    }
  }

  private static void assertNear(float[] ours, float[] plain, double tolerance) {
    assertThat(ours).hasSameSizeAs(plain);
    IntStream.range(0, plain.length)
        .forEach(i -> assertThat((double) ours[i]).isCloseTo(plain[i], within(tolerance)));
  }

  private static float[] draw(XDiTParallel ranks, String model, int steps) {
    InputConfig input =
        Requests.two(model).toBuilder()
            .size(48, 64)
            .numInferenceSteps(steps)
            .outputType(OutputType.PT)
            .build();
    try (Generation generation = ranks.generate(input)) {
      return numbers(generation);
    }
  }

  private static float[] numbers(Generation generation) {
    try (NDManager manager = Torch.newManager()) {
      return Torch.cast(manager, generation.tensor(), ElementType.FLOAT32).toFloatArray();
    }
  }

  private static LocalRanks ranks(EngineConfig engine, CpuLauncher cpu) {
    LocalRanks usual = LocalRanks.all(engine, Map.of("OMP_NUM_THREADS", "1"));
    usual.threads().forEach(RankThread::close);
    return new LocalRanks(
        null,
        usual.onThisMachine(),
        usual.devices(),
        IntStream.range(0, usual.devices().size())
            .mapToObj(rank -> new RankThread(rank, Device.cpu(), 1, new FusedKernels(cpu)))
            .toList());
  }
}
