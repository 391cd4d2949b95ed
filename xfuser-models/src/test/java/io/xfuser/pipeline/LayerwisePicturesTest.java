package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.Offload;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.runtime.PlacedPipeline;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.contract.Requests;
import io.xfuser.report.RankReport;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Block;
import io.xfuser.weights.Share;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole pictures whose layers are read ahead of use. */
class LayerwisePicturesTest {
  private static final String PIXART = "pixart_sigma_tiny"; // 9 blocks of one size
  private static final int BLOCKS = 9;
  private static final ParallelConfig SERIAL = ParallelConfig.serial();

  private static long block; // its bytes
  private static long text; // bytes of the text encoder's layers, which a request reads once

  private final NDManager manager = Torch.newManager();
  @TempDir Path folder;

  private static RuntimeConfig.Builder ahead(RuntimeConfig.Builder runtime) {
    return runtime.offload(Offload.LAYERWISE).offloadChunkMb(1);
  }

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @AfterEach
  void close() {
    manager.close();
  }

  private record Drawn(NDArray pixels, List<RankReport> ranks) {
    long read() {
      return ranks.stream().mapToLong(RankReport::prefetchedBytes).sum();
    }
  }

  private static EngineConfig engine(
      Path model, ParallelConfig degrees, UnaryOperator<RuntimeConfig.Builder> runtime) {
    return EngineConfig.builder(model).parallel(degrees).runtime(runtime).build();
  }

  private Drawn drawn(EngineConfig engine, InputConfig input) {
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine)) {
      return drawn(pipeline, engine, input);
    }
  }

  private Drawn drawn(DiffusionPipeline pipeline, EngineConfig engine, InputConfig input) {
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
        Generation generation = ranks.generate(input)) {
      return new Drawn(Torch.alias(manager, generation.tensor()), generation.report().ranks());
    }
  }

  private static InputConfig two(String model, int steps) {
    return Requests.two(model).toBuilder()
        .numInferenceSteps(steps)
        .outputType(OutputType.LATENT) // decoding is OffloadedPictureTest's
        .build();
  }

  @Tag("complete")
  @ParameterizedTest
  @CsvSource({
    "chroma_tiny, 1, 0, false", "flux2_klein_tiny, 3, 0, false", "pixart_sigma_tiny, 4, 0, true",
    "qwenimage_tiny, 3, 0, false", "sd35_medium_tiny, 5, 0, true", "zimage_tiny, 2, 0, false",
    "flux_dev_tiny, 2, 0, true", "sana_tiny, 1, 0.5, false"
  })
  void soTheyAreOfOtherModels(String model, int layout, double ratio, boolean half) {
    picturesAreTheSameBitForBit(model, layout, ratio, half);
  }

  /**
   * Models with another layout and another ratio each, in the file's type or widened, one on one
   * rank. Text encoders are widened whole, as layers that are read ahead are.
   */
  @ParameterizedTest
  @CsvSource({
    "hunyuandit_tiny, 3, 0, true",
    "latte_tiny, 4, 0.25, false",
    "pixart_sigma_tiny, 0, 0, true",
    "sd35_medium_tiny, 2, 0, true"
  })
  void picturesAreTheSameBitForBit(String model, int layout, double ratio, boolean half) {
    ModelConfig widened =
        ModelConfig.builder(Requests.directory(model)).keepWeightTypes(false).build();
    UnaryOperator<RuntimeConfig.Builder> type = r -> half ? r.dtype(ElementType.BFLOAT16) : r;
    ParallelConfig degrees = Requests.HYBRIDS.get(layout);
    InputConfig input = two(model, 2);
    EngineConfig whole = EngineConfig.builder(widened).parallel(degrees).runtime(type).build();
    Drawn expected = drawn(whole, input);
    Drawn found =
        drawn(
            whole.toBuilder().runtime(r -> ahead(type.apply(r)).residentRatio(ratio)).build(),
            input);
    assertThat(Pixels.largestDifference(found.pixels(), expected.pixels())).isZero();
    assertThat(expected.read()).isZero();
    assertThat(found.read()).isPositive();
  }

  @Test
  void weightsOf8BitsAreMadeAgainForEachUse() {
    EngineConfig plain = engine(Requests.directory(PIXART), SERIAL, r -> r);
    ModelConfig int8 = plain.model().toBuilder().set(ModelConfig.QUANTIZE, "int8").build();
    InputConfig input = two(PIXART, 2);
    Drawn expected = drawn(plain.toBuilder().model(int8).build(), input);
    Drawn found =
        drawn(plain.toBuilder().model(int8).runtime(LayerwisePicturesTest::ahead).build(), input);
    assertThat(Pixels.largestDifference(found.pixels(), expected.pixels())).isZero();
  }

  /** Bytes are those of the blocks that do not stay, once in each pass for all ranks together. */
  @ParameterizedTest
  @CsvSource({"0, 9", "0.5, 4", "1, 0"})
  void everyBlockThatDoesNotStayIsReadOnceInAPassForAllRanks(double ratio, int read) {
    Path model = Requests.directory(PIXART);
    ParallelConfig ulysses = SERIAL.toBuilder().ulyssesDegree(2).build();
    UnaryOperator<RuntimeConfig.Builder> some = r -> ahead(r).residentRatio(ratio);
    for (ParallelConfig degrees : CoveringArray.part(List.of(SERIAL, ulysses), read, 2)) {
      long one = drawn(engine(model, degrees, some), two(PIXART, 1)).read();
      long three = drawn(engine(model, degrees, some), two(PIXART, 3)).read();
      assertThat(three - one).isEqualTo(2L * read * block);
    }
  }

  @BeforeAll
  static void readOnce() {
    Torch.prepareThread(1);
    EngineConfig engine = engine(Requests.directory(PIXART), SERIAL, LayerwisePicturesTest::ahead);
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine);
        XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
        Generation one = ranks.generate(two(PIXART, 1))) {
      block = placed(pipeline, engine).transformer().block(1, Share.WHOLE).parameterBytes();
      text = new Drawn(one.tensor(), one.report().ranks()).read() - BLOCKS * block;
    }
  }

  private static PlacedPipeline<?> placed(DiffusionPipeline pipeline, EngineConfig engine) {
    return pipeline.on(pipeline.placement(engine, Device.cpu(), List.of())).get();
  }

  private static long inMemory(PlacedPipeline<?> placed) {
    return IntStream.range(0, BLOCKS)
        .mapToObj(i -> placed.transformer().block(i, Share.WHOLE))
        .map(Block::weights)
        .filter(TensorMap::isLoaded)
        .count();
  }

  /** With the first block alone in memory, which says whether a step is spared. */
  @ParameterizedTest
  @CsvSource({"FBCACHE", "EASYCACHE", "TAYLORSEER"})
  void aSparedStepReadsNothing(StepCache method) {
    EngineConfig engine = engine(Requests.directory(PIXART), SERIAL, LayerwisePicturesTest::ahead);
    InputConfig cached =
        two(PIXART, 6).toBuilder()
            .set(InputConfig.CACHE, method)
            .set(InputConfig.CACHE_MAX_CONTINUOUS, 1)
            .build();
    if (method != StepCache.TAYLORSEER) {
      cached = cached.toBuilder().set(InputConfig.CACHE_THRESHOLD, 1e9).build();
    }
    Drawn found = drawn(engine, cached);
    int computed = 6 - found.ranks().get(0).sparedPasses();
    assertThat(computed).isLessThan(6);
    assertThat(found.read() - text).isEqualTo((long) computed * (BLOCKS - 1) * block);
  }

  @Test
  void aPausedRequestHasNoBlocksInMemoryAndGoesOnWithTheSamePicture() throws Exception {
    EngineConfig engine = engine(Requests.directory(PIXART), SERIAL, LayerwisePicturesTest::ahead);
    Drawn expected = drawn(engine, two(PIXART, 4));
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine);
        XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine)) {
      Occupied before = new Occupied(ranks, two(PIXART, 4));
      GenerationTask task = ranks.submit(two(PIXART, 4));
      var pausing = task.pauseAfter(2);
      before.close();
      assertThat(pausing.get(60, TimeUnit.SECONDS)).isEqualTo(OptionalInt.of(2));
      assertThat(inMemory(placed(pipeline, engine))).isZero();
      task.resume();
      try (Generation generation = task.await()) {
        assertThat(Pixels.largestDifference(generation.tensor(), expected.pixels())).isZero();
      }
      assertThat(inMemory(placed(pipeline, engine))).isZero();
    }
  }

  /** Stages have other blocks that stay, and a step cache the first one. */
  @Test
  void ranksThatDrawAtTheSameTimeDoNotTakeOneAnothersBlocks() {
    Path model = Requests.directory(PIXART);
    ParallelConfig stages = SERIAL.toBuilder().pipefusionDegree(2).numPipelinePatch(2).build();
    EngineConfig one =
        engine(model, SERIAL, r -> ahead(r).residentRatio(0.3).threads(1)); // the same sums
    EngineConfig other = one.toBuilder().parallel(stages).build();
    InputConfig cached =
        two(PIXART, 4).toBuilder()
            .set(InputConfig.CACHE, StepCache.FBCACHE)
            .set(InputConfig.CACHE_THRESHOLD, 0.3)
            .build();
    NDArray expected = drawn(one, cached).pixels();
    NDArray otherwise = drawn(other, two(PIXART, 4)).pixels();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(one);
        XDiTParallel first = XDiTParallel.inProcess(pipeline, one);
        XDiTParallel second = XDiTParallel.inProcess(pipeline, other)) {
      for (int round = 0; round < 2; round++) {
        GenerationTask begun = first.submit(cached);
        try (Generation with = second.generate(two(PIXART, 4));
            Generation beside = begun.await()) {
          assertThat(Pixels.largestDifference(beside.tensor(), expected)).isZero();
          assertThat(Pixels.largestDifference(with.tensor(), otherwise)).isZero();
        }
      }
    }
  }

  @Test
  void aFileThatIsCutOffWhileItIsInUseIsASentenceAndNotTheEndOfTheJvm() throws IOException {
    Path copy = folder.resolve("cut");
    DirectoryCopy.of(Requests.directory(PIXART), copy);
    EngineConfig engine = engine(copy, SERIAL, LayerwisePicturesTest::ahead);
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine);
        XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine)) {
      ranks.generate(two(PIXART, 1)).close();
      Path shard = shards(copy).get(0);
      try (RandomAccessFile file = new RandomAccessFile(shard.toFile(), "rw")) {
        file.setLength(file.length() / 2);
      }
      for (int call = 0; call < 2; call++) {
        assertThatThrownBy(() -> ranks.generate(two(PIXART, 1)))
            .hasMessageContaining(shard + " was changed while it was in use");
      }
      assertThat(inMemory(placed(pipeline, engine))).isZero();
    }
  }

  private static List<Path> shards(Path model) throws IOException {
    try (var files = java.nio.file.Files.list(model.resolve("transformer"))) {
      return files.filter(file -> file.toString().endsWith(".safetensors")).sorted().toList();
    }
  }

  /** As the sizes are tiny, memory beside the weights is what is asked for but for a few blocks. */
  @Test
  void asManyBlocksStayAsThereIsMemoryFor() {
    Path model = Requests.directory(PIXART);
    InputConfig input = two(PIXART, 1);
    EngineConfig all = engine(model, SERIAL, r -> ahead(r).maxMemory("8GB"));
    assertThat(drawn(all, input).read()).isEqualTo(text); // blocks are loaded, not read ahead
    EngineConfig none = engine(model, SERIAL, r -> ahead(r).maxMemory("100MB"));
    assertThat(drawn(none, input).read()).isEqualTo(text + BLOCKS * block);
    EngineConfig less = engine(model, SERIAL, r -> ahead(r).maxMemory("67MB"));
    assertThatThrownBy(() -> drawn(less, input))
        .isInstanceOf(ArgumentException.class)
        .hasMessageStartingWith("max_memory is 67.0 MB, but the JVM, libtorch, and weights ")
        .hasMessageContaining("with no block staying");
  }
}
