package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.ParallelConfigBuilder;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.GenerationTask.State;
import io.xfuser.pipeline.Occupied;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A request that pauses between steps goes on as if it had not: on the same ranks with the same
 * bits, on others within rounding, of pixels in [0, 1] or of latents over the largest of them.
 */
@Timeout(300)
class PauseTest {
  static final int STEPS = 3;
  private static final double RANKS = 1e-4;

  /** Those whose blocks are another one's with the profile {@code complete} alone. */
  private static final List<String> MODELS =
      Arrays.stream(
              ("chroma_tiny dit_tiny flux2_klein_tiny flux2_tiny flux_dev_tiny "
                      + "flux_schnell_tiny hunyuandit12_tiny hunyuandit_tiny latte_tiny "
                      + "pixart_alpha_tiny pixart_sigma_tiny qwenimage_tiny sana_tiny "
                      + "sd35_large_tiny sd35_medium_tiny sd3_tiny wan22_tiny zimage_tiny")
                  .split(" "))
          .filter(model -> CoveringArray.ALL || !LayoutDeal.VARIANTS.contains(model))
          .toList();

  /** The first has guidance, and moves from shares of layers to shares of guidance. */
  private static final List<String> MOVED = CoveringArray.part(MODELS, 5, 6);

  /** Layouts whose pictures are those of one rank. */
  static final List<ParallelConfig> FRESH =
      List.of(
          degrees(x -> x.ulyssesDegree(2)),
          degrees(x -> x.ringDegree(2)),
          degrees(x -> x.tensorDegree(2)),
          degrees(x -> x.dataDegree(2)),
          degrees(x -> x.pipefusionDegree(2).numPipelinePatch(1)),
          degrees(x -> x.ulyssesDegree(2).ringDegree(2)),
          degrees(x -> x.dataDegree(2).pipefusionDegree(2).numPipelinePatch(1)),
          degrees(x -> x.vaeParallelSize(1)));

  private static final ParallelConfig CFG = degrees(x -> x.cfgDegree(2));
  static final List<ParallelConfig> STALE =
      List.of(
          degrees(x -> x.pipefusionDegree(2).numPipelinePatch(3)),
          degrees(x -> x.numPipelinePatch(2)),
          degrees(x -> x.distrifusionDegree(2)),
          degrees(x -> x.numDistrifusionPatch(2)),
          degrees(x -> x.pipefusionDegree(2).ulyssesDegree(2)),
          degrees(x -> x.distrifusionDegree(2).vaeParallelSize(1)));

  private final NDManager manager = Torch.newManager();
  @TempDir Path folder;

  @AfterEach
  void close() {
    manager.close();
  }

  static ParallelConfig degrees(UnaryOperator<ParallelConfigBuilder> with) {
    return with.apply(ParallelConfig.builder()).build();
  }

  /** Of pixels where a layout has ranks of the VAE, which decode them. */
  static InputConfig input(String model, ParallelConfig... on) {
    boolean vae = Stream.of(on).anyMatch(one -> one.vaeParallelSize() > 0);
    return Requests.two(model).toBuilder()
        .numInferenceSteps(STEPS)
        .outputType(vae ? OutputType.PT : OutputType.LATENT)
        .seed(5)
        .build();
  }

  static DiffusionPipeline open(Path directory) {
    return DiffusionPipeline.fromPretrained(ModelConfig.builder(directory).build());
  }

  static XDiTParallel ranks(DiffusionPipeline pipeline, ParallelConfig degrees) {
    EngineConfig engine =
        EngineConfig.builder(Path.of("none"))
            .parallel(degrees)
            .runtime(r -> r.warmupSteps(1))
            .build();
    return XDiTParallel.inProcess(pipeline, engine);
  }

  private NDArray pixels(GenerationTask task) {
    try (Generation generation = task.await()) {
      return Torch.alias(manager, generation.tensor());
    }
  }

  static int pausedAfter(GenerationTask task, int steps) throws Exception {
    OptionalInt taken = task.pauseAfter(steps).get(60, TimeUnit.SECONDS);
    assertThat(task.state()).isEqualTo(State.PAUSED);
    return taken.orElseThrow();
  }

  /** Every model at least once, and every layout but for shards of tokens alone. */
  static Stream<Arguments> layoutsOfModels() {
    List<ParallelConfig> fresh = FRESH.subList(CoveringArray.ALL ? 0 : 2, FRESH.size());
    List<ParallelConfig> all = Stream.of(fresh, List.of(CFG), STALE).flatMap(List::stream).toList();
    ParallelConfig selected = degrees(x -> x.ulyssesDegree(4).ulyssesTopology(2, 2).selectiveV(1));
    return Stream.concat(
        IntStream.range(0, Math.max(all.size(), MODELS.size()))
            .mapToObj(i -> Arguments.of(MODELS.get(i % MODELS.size()), all.get(i % all.size()))),
        Stream.of(Arguments.of("flux_dev_tiny", selected)));
  }

  @ParameterizedTest
  @MethodSource("layoutsOfModels")
  void onTheSameRanksItHasTheSameBits(String model, ParallelConfig layout) throws Exception {
    try (DiffusionPipeline pipeline = open(Requests.directory(model))) {
      boolean fits = pipeline.model().resolve(input(model)).guided() || layout.cfgDegree() == 1;
      try (XDiTParallel ranks = ranks(pipeline, fits ? layout : ParallelConfig.serial())) {
        int steps = STALE.contains(layout) || layout.selectiveV() > 0 ? STEPS : 2;
        NDArray unused = theSameBits(ranks, input(model, layout), steps);
      }
    }
  }

  /** Drawn at once; then with a pause at every step, and another request after the first. */
  private NDArray theSameBits(XDiTParallel ranks, InputConfig asked, int steps) throws Exception {
    InputConfig input = asked.toBuilder().numInferenceSteps(steps).build();
    NDArray undisturbed = pixels(ranks.submit(input));
    GenerationTask task = Occupied.submit(ranks, input, 0);
    int calls = ranks.check(input).calls();
    for (int taken = 0; taken <= calls; taken++) {
      assertThat(pausedAfter(task, taken)).isEqualTo(taken);
      assertThat(task.keptBytes()).isPositive();
      if (taken == 1) {
        InputConfig other = input.toBuilder().seed(8).numInferenceSteps(steps - 1).build();
        NDArray between = pixels(ranks.submit(other));
        assertThat(Pixels.largestDifference(between, undisturbed)).isGreaterThan(1e-3);
      }
      Occupied.resume(task, taken + 1, ranks, input);
    }
    assertThat(Pixels.largestDifference(pixels(task), undisturbed)).isZero();
    assertThat(task.keptBytes()).isZero();
    return undisturbed;
  }

  /** Two calls in a step; noise and what was predicted before; the others have these too. */
  private static final List<String> SOLVERS =
      CoveringArray.part(
          List.of("sigma_heun_3", "alpha_lcm_1", "sd3_unipc_4", "sigma_sde_4"), 0, 3);

  @ParameterizedTest
  @FieldSource("SOLVERS")
  void everySolverGoesOnWithItsHistoryAndItsNoise(String name) throws Exception {
    PipelineLoopsTest.Loop loop =
        PipelineLoopsTest.loops().filter(one -> one.name().equals(name)).findFirst().orElseThrow();
    InputConfig input =
        loop.call().input().toBuilder()
            .numInferenceSteps(STEPS)
            .outputType(OutputType.LATENT)
            .build();
    try (DiffusionPipeline pipeline = open(PipelineLoopsTest.withScheduler(loop, folder));
        XDiTParallel ulysses = ranks(pipeline, FRESH.get(0));
        XDiTParallel stages = ranks(pipeline, FRESH.get(4))) {
      NDArray undisturbed = theSameBits(ulysses, input, STEPS);
      assertThat(Pixels.largestDifference(moved(input, List.of(ulysses, stages)), undisturbed))
          .isLessThanOrEqualTo(RANKS * Pixels.largest(undisturbed));
    }
  }

  /** Takes one step on each of {@code ranks} in turn, then decodes on the first. */
  private NDArray moved(InputConfig input, List<XDiTParallel> ranks) throws Exception {
    GenerationTask task = Occupied.submit(ranks.get(0), input, 1);
    int calls = ranks.get(0).check(input).calls();
    for (int step = 1; step <= calls; step++) {
      task.pauseAfter(step).get(60, TimeUnit.SECONDS);
      if (task.state() == State.PAUSED) { // else it was faster
        task.resume(ranks.get(step % ranks.size()));
      }
    }
    return pixels(task);
  }

  @ParameterizedTest
  @FieldSource("MOVED")
  void onOtherRanksItDiffersByRoundingAlone(String model) throws Exception {
    int turn = MOVED.indexOf(model);
    ParallelConfig decoding = FRESH.get((turn + 2) % FRESH.size());
    InputConfig input = input(model, decoding);
    try (DiffusionPipeline pipeline = open(Requests.directory(model));
        XDiTParallel serial = ranks(pipeline, ParallelConfig.serial());
        XDiTParallel first = ranks(pipeline, decoding);
        XDiTParallel second =
            ranks(
                pipeline,
                pipeline.model().resolve(input).guided() && turn % 2 == 0
                    ? CFG
                    : FRESH.get((turn + 5) % FRESH.size()))) {
      NDArray undisturbed = pixels(serial.submit(input));
      NDArray pixels = moved(input, List.of(first, second, serial));
      assertThat(Pixels.largestDifference(pixels, undisturbed))
          .isLessThanOrEqualTo(RANKS * Pixels.largest(undisturbed));
    }
  }

  @Test
  void aStaleLayoutTakesASynchronousStepAfterAMove() throws Exception {
    InputConfig input = input("sd35_medium_tiny");
    try (DiffusionPipeline pipeline = open(Requests.directory("sd35_medium_tiny"));
        XDiTParallel serial = ranks(pipeline, ParallelConfig.serial())) {
      NDArray fresh = pixels(serial.submit(input));
      for (ParallelConfig layout : List.of(STALE.get(0), STALE.get(2))) {
        try (XDiTParallel patches = ranks(pipeline, layout);
            XDiTParallel onOneRank = ranks(pipeline, new Layout(layout, 1).onOneRank().degrees())) {
          NDArray all = movedOnce(input, serial, patches);
          NDArray one = movedOnce(input, serial, onOneRank);
          assertThat(Pixels.largestDifference(all, one)).isLessThanOrEqualTo(1e-5);
          assertThat(Pixels.largestDifference(all, fresh)).isGreaterThan(1e-4);
        }
      }
    }
  }

  private NDArray movedOnce(InputConfig input, XDiTParallel from, XDiTParallel to)
      throws Exception {
    GenerationTask task = Occupied.submit(from, input, 1);
    assertThat(pausedAfter(task, 1)).isEqualTo(1);
    task.resume(to);
    return pixels(task);
  }

  @ParameterizedTest
  @ValueSource(longs = 1)
  void requestsMayInterleaveAnyhow(long seed) throws Exception {
    Random random = new Random(seed);
    InputConfig input = input("sd3_tiny");
    List<InputConfig> inputs =
        IntStream.range(0, 3).mapToObj(i -> input.toBuilder().seed(i).build()).toList();
    try (DiffusionPipeline pipeline = open(Requests.directory("sd3_tiny"));
        XDiTParallel one = ranks(pipeline, STALE.get(0));
        XDiTParallel two = ranks(pipeline, STALE.get(0))) {
      List<NDArray> alone = inputs.stream().map(each -> pixels(one.submit(each))).toList();
      List<GenerationTask> tasks = new ArrayList<>();
      inputs.forEach(each -> tasks.add((random.nextBoolean() ? one : two).submit(each)));
      while (tasks.stream().anyMatch(task -> !task.result().isDone())) {
        GenerationTask task = tasks.get(random.nextInt(tasks.size()));
        if (task.state() == State.PAUSED) {
          task.resume();
        } else {
          var unused = task.pause();
        }
        TimeUnit.MILLISECONDS.sleep(random.nextInt(8));
      }
      for (int i = 0; i < tasks.size(); i++) {
        assertThat(Pixels.largestDifference(pixels(tasks.get(i)), alone.get(i))).isZero();
      }
    }
  }
}
