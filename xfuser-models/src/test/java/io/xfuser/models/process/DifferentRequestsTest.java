package io.xfuser.models.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.MismatchException;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.socket.SocketWorld;
import io.xfuser.model.GivenTensors;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Ranks that meet by sockets, as those with JVMs of their own do, and are not asked for the same:
 * all of them say so at once, and the next request works.
 */
@Timeout(300)
class DifferentRequestsTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");

  private static final InputConfig FOX =
      InputConfig.builder("a red fox")
          .height(64)
          .width(64)
          .useResolutionBinning(false)
          .numInferenceSteps(2)
          .outputType(OutputType.PT)
          .seed(1)
          .build();

  private static final ExecutorService CALLERS = Executors.newFixedThreadPool(2);
  private static final XDiTParallel[] RANKS = new XDiTParallel[2];
  private static DiffusionPipeline pipeline;
  private static List<World> worlds;
  private static float[] expected;

  @BeforeAll
  static void open() throws Exception {
    pipeline = DiffusionPipeline.fromPretrained(ModelConfig.builder(MODEL).build());
    int port = TestRanks.freePort();
    worlds = both(rank -> SocketWorld.join(TestRanks.config(rank, 2, port, TestRanks.QUICK)));
    for (int rank = 0; rank < 2; rank++) {
      RANKS[rank] = ranks(rank, ParallelConfig.builder().ulyssesDegree(2).build());
    }
    expected = together(FOX, FOX).get(0);
  }

  private static XDiTParallel ranks(int rank, ParallelConfig degrees) {
    return new XDiTParallel(
        pipeline, EngineConfig.builder(MODEL).parallel(degrees).build(), worlds.get(rank));
  }

  @AfterAll
  static void close() throws Exception {
    for (XDiTParallel rank : RANKS) {
      rank.close();
    }
    both(
        rank -> {
          worlds.get(rank).close();
          return rank;
        });
    pipeline.close();
    CALLERS.shutdownNow();
  }

  private interface RankBody<T> {
    T run(int rank) throws Exception;
  }

  private static <T> List<T> both(RankBody<T> body) throws Exception {
    Future<T> first = CALLERS.submit(() -> body.run(0));
    Future<T> second = CALLERS.submit(() -> body.run(1));
    return List.of(first.get(), second.get());
  }

  private static float[] draw(int rank, InputConfig input, ProgressListener listener) {
    try (Generation generation = RANKS[rank].generate(input, listener)) {
      return rank == 0 ? Pixels.floats(generation.tensor()) : new float[0];
    }
  }

  private static List<float[]> together(InputConfig first, InputConfig second) throws Exception {
    return both(rank -> draw(rank, rank == 0 ? first : second, ProgressListener.NONE));
  }

  private static Callable<Throwable> thrownBy(Callable<?> call) {
    return () -> {
      try {
        call.call();
        return new AssertionError("nothing was thrown");
      } catch (RuntimeException e) {
        return e;
      }
    };
  }

  /** What is different on rank 1, and the sentence that names it on both. */
  static Stream<Arguments> differences() {
    return Stream.of(
        Arguments.of(FOX.toBuilder().seed(2).build(), "rank 1 has seed 2, rank 0 has 1"),
        Arguments.of(
            FOX.toBuilder().numInferenceSteps(3).build(), "rank 1 has steps 3, rank 0 has 2"),
        Arguments.of(FOX.toBuilder().size(96, 64).build(), "rank 1 has height 96, rank 0 has 64"),
        Arguments.of(
            FOX.toBuilder().guidanceScale(3).build(),
            "rank 1 has guidance_scale 3.0, rank 0 has 4.5"),
        Arguments.of(
            FOX.toBuilder().guidanceScale(1).build(),
            "rank 1 has guidance_scale 1.0, rank 0 has 4.5"),
        Arguments.of(
            FOX.toBuilder().prompts("a dog").build(),
            "rank 1 has prompt \"a dog\", rank 0 has \"a red fox\""),
        Arguments.of(
            FOX.toBuilder().prompts("a red fox", "a dog").build(),
            "rank 1 has number of prompts 2, rank 0 has 1"),
        Arguments.of(
            FOX.toBuilder().negativePrompts("red").build(),
            "rank 1 has negative_prompt \"red\", rank 0 has \"\""),
        Arguments.of(
            FOX.toBuilder().numImagesPerPrompt(2).build(),
            "rank 1 has num_images_per_prompt 2, rank 0 has 1"),
        Arguments.of(
            FOX.toBuilder().maxSequenceLength(20).build(),
            "rank 1 has max_sequence_length 20, rank 0 has 300"),
        Arguments.of(
            FOX.toBuilder().cleanCaption(false).build(),
            "rank 1 has clean_caption false, rank 0 has true"),
        Arguments.of(
            FOX.toBuilder().outputType(OutputType.LATENT).build(),
            "rank 1 has output_type latent, rank 0 has pt"));
  }

  @ParameterizedTest
  @MethodSource("differences")
  void whatDiffersIsNamedOnAllRanksAndTheNextRequestWorks(InputConfig other, String sentence)
      throws Exception {
    List<Throwable> thrown =
        both(
            rank ->
                thrownBy(() -> draw(rank, rank == 0 ? FOX : other, ProgressListener.NONE)).call());
    for (Throwable each : thrown) {
      assertThat(each).isInstanceOf(MismatchException.class).hasMessageContaining(sentence);
    }
    assertThat(together(FOX, FOX).get(0)).isEqualTo(expected);
  }

  @Test
  void valuesThatARankLeavesToThePipelineAreTheSameAsTheseValuesWritten() throws Exception {
    assertThat(together(FOX, FOX.toBuilder().guidanceScale(4.5).build()).get(0))
        .isEqualTo(expected);
  }

  @Test
  void aRequestThatOneRankRefusesEndsOnAll() throws Exception {
    List<Throwable> thrown =
        both(
            rank ->
                thrownBy(
                        () ->
                            draw(
                                rank,
                                rank == 0 ? FOX : FOX.toBuilder().size(100, 100).build(),
                                ProgressListener.NONE))
                    .call());
    String sentence = "height and width must be multiples of 16, but are 100 and 100";
    assertThat(thrown.get(0)).hasMessage("rank 1 refuses the request: " + sentence);
    assertThat(thrown.get(1)).hasMessage(sentence);
    assertThat(thrown.get(0)).isInstanceOf(MismatchException.class);
    assertThat(thrown.get(1)).isInstanceOf(IllegalArgumentException.class);
    assertThat(together(FOX, FOX).get(0)).isEqualTo(expected);
  }

  @Test
  void givenTensorsAreComparedByTheirContent() throws Exception {
    List<Throwable> thrown =
        both(
            rank -> {
              try (NDManager manager = Torch.newManager()) {
                NDArray latents = manager.ones(new Shape(1, 4, 8, 8)).mul(rank + 1);
                GivenTensors given = new GivenTensors(latents, Map.of());
                return thrownBy(() -> RANKS[rank].generate(FOX, given, ProgressListener.NONE))
                    .call();
              }
            });
    assertThat(thrown)
        .allSatisfy(
            each ->
                assertThat(each)
                    .hasMessageMatching(
                        "rank 1 has latents given [0-9a-f]{16} of float32, \\(1, 4, 8, 8\\),"
                            + " rank 0 has [0-9a-f]{16} of float32, \\(1, 4, 8, 8\\)"));
  }

  @Test
  void otherDegreesAndTracingAreNamed() throws Exception {
    try (XDiTParallel ring = ranks(1, ParallelConfig.builder().ringDegree(2).build())) {
      List<Throwable> thrown =
          both(
              rank ->
                  thrownBy(
                          () ->
                              rank == 0
                                  ? RANKS[0].trace(FOX, GivenTensors.NONE, ProgressListener.NONE)
                                  : ring.generate(FOX))
                      .call());
      assertThat(thrown)
          .allSatisfy(
              each ->
                  assertThat(each)
                      .hasMessageContaining("rank 1 has ring_degree 2, rank 0 has 1")
                      .hasMessageContaining("rank 1 has tracing false, rank 0 has true"));
    }
  }

  @Test
  void anInterruptOfAnyRanksCallerEndsTheRequestOnAll() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    AtomicInteger steps = new AtomicInteger();
    ProgressListener listener =
        progress -> {
          if (progress instanceof Progress.Denoising taken && taken.done() > 0) {
            begun.countDown();
            steps.set((int) taken.done());
          }
          return true;
        };
    InputConfig longer = FOX.toBuilder().numInferenceSteps(400).build();
    Future<float[]> first = CALLERS.submit(() -> draw(0, longer, listener));
    Thread[] caller = new Thread[1];
    Future<Throwable> second =
        CALLERS.submit(
            () -> {
              caller[0] = Thread.currentThread();
              Throwable thrown = thrownBy(() -> draw(1, longer, ProgressListener.NONE)).call();
              return Thread.interrupted() ? thrown : new AssertionError("not interrupted");
            });
    begun.await();
    caller[0].interrupt();
    assertThat(second.get(20, TimeUnit.SECONDS))
        .isInstanceOf(CancelledException.class)
        .hasMessageMatching("interrupted while in synchronous step \\d+ of 400");
    assertThatThrownBy(first::get).hasCauseInstanceOf(CancelledException.class);
    assertThat(steps.get()).isLessThan(400);
    assertThat(together(FOX, FOX).get(0)).isEqualTo(expected);
  }
}
