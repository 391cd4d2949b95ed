package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.runtime.RequestWatch;
import io.xfuser.model.GivenTensors;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Two ranks, threads of one JVM or joined by sockets as processes are, one of which cancels. */
@Timeout(300)
class CancelTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");

  private static final List<String> PHASES =
      List.of(
          "loading the transformer",
          "loading the text encoder",
          "encoding the prompt",
          "denoising",
          "loading the decoder",
          "decoding");

  private static DiffusionPipeline shared;
  private static List<World> worlds;

  /** How two ranks share the work. */
  private enum Layout {
    DATA(
        ParallelConfig.builder().dataDegree(2).build(),
        RuntimeConfig.builder().build(),
        List.of(2, 3, 5)),
    CFG(
        ParallelConfig.builder().cfgDegree(2).build(),
        RuntimeConfig.builder().enableTiling(true).build(),
        List.of(0, 3, 4)),
    ULYSSES(
        ParallelConfig.builder().ulyssesDegree(2).build(),
        RuntimeConfig.builder().useParallelVae(true).build(),
        List.of(2, 3, 4)),
    PIPEFUSION( // processes cancel in its steps
        ParallelConfig.builder().pipefusionDegree(2).build(),
        RuntimeConfig.builder().build(),
        List.of(1, 2, 5)),
    VAE(
        ParallelConfig.builder().vaeParallelSize(1).build(),
        RuntimeConfig.builder().build(),
        List.of(3, 4, 5));

    @SuppressWarnings("ImmutableEnumChecker") // they are, but do not say so
    private final EngineConfig engine;

    @SuppressWarnings("ImmutableEnumChecker")
    private final List<Integer> bySockets;

    /**
     * A layout.
     *
     * @param bySockets the indices of the phases that are tried by sockets too
     */
    Layout(ParallelConfig degrees, RuntimeConfig runtime, List<Integer> bySockets) {
      engine = EngineConfig.builder(MODEL).parallel(degrees).runtime(runtime).build();
      this.bySockets = bySockets;
    }

    Stream<String> phases(boolean sockets) {
      return sockets && !CoveringArray.ALL ? bySockets.stream().map(PHASES::get) : PHASES.stream();
    }

    InputConfig input() {
      return InputConfig.builder(
              this == DATA ? new String[] {"a fox", "a boat"} : new String[] {"a fox"})
          .height(64)
          .width(64)
          .useResolutionBinning(false)
          .numInferenceSteps(3)
          .seed(1)
          .build();
    }
  }

  @BeforeAll
  static void open() throws Exception {
    shared = pipeline();
    worlds = TestRanks.joined(2);
  }

  @AfterAll
  static void close() throws Exception {
    TestRanks.leave(worlds);
    shared.close();
  }

  private static DiffusionPipeline pipeline() {
    // each request has to encode its prompt, to be cancelled there
    return DiffusionPipeline.fromPretrained(
        ModelConfig.builder(MODEL).set(ModelConfig.TEXT_CACHE, 0).build());
  }

  /** By threads every phase of every layout; by sockets half of each layout's, all with some. */
  static Stream<Arguments> everyPhaseOfEveryLayout() {
    return Stream.of(Layout.values())
        .flatMap(
            layout ->
                Stream.of(false, true)
                    .flatMap(
                        sockets ->
                            layout
                                .phases(sockets)
                                .map(phase -> Arguments.of(layout, phase, sockets))));
  }

  /** Cancels when a phase is reached, and counts what ranks go on with afterwards. */
  private static final class Canceller {
    private final String phase;
    private final boolean sockets;
    private final AtomicBoolean reached = new AtomicBoolean();
    private final Map<Integer, Integer> late = new ConcurrentHashMap<>();
    private volatile boolean cancelled;

    Canceller(String phase, boolean sockets) {
      this.phase = phase;
      this.sockets = sockets;
    }

    RequestWatch watch(GenerationTask task) {
      return new RequestWatch((rank, progress) -> heard(task, rank, progress), false);
    }

    private void heard(GenerationTask task, int rank, Progress progress) {
      if (cancelled) {
        late.merge(rank, 1, Integer::sum);
        if (sockets) { // this step takes until the word has come
          await(() -> isOver(worlds.get(rank)));
        }
      } else if (progress.doing().equals(phase) && reached.compareAndSet(false, true)) {
        await(task::isStarted);
        task.cancel();
        cancelled = true;
      }
    }

    private static boolean isOver(World world) {
      try {
        world.transport().check();
        return false;
      } catch (CancelledException e) {
        return true;
      }
    }

    private static void await(BooleanSupplier condition) {
      while (!condition.getAsBoolean()) {
        LockSupport.parkNanos(200_000);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("everyPhaseOfEveryLayout")
  void everyRankHearsOfACancelWithinAStepAndTheNextRequestWorks(
      Layout layout, String phase, boolean sockets) {
    boolean loads = phase.startsWith("loading");
    DiffusionPipeline pipeline = loads ? pipeline() : shared;
    List<XDiTParallel> ranks =
        sockets
            ? worlds.stream()
                .map(world -> new XDiTParallel(pipeline, layout.engine, world))
                .toList()
            : List.of(XDiTParallel.inProcess(pipeline, layout.engine));
    Canceller canceller = new Canceller(phase, sockets);
    List<GenerationTask> cancelled =
        ranks.stream()
            .map(
                rank ->
                    rank.submit(
                        layout.input(), GivenTensors.NONE, ProgressListener.NONE, canceller::watch))
            .toList();
    for (GenerationTask task : cancelled) {
      assertThatThrownBy(task::await)
          .isInstanceOf(CancelledException.class)
          .hasMessageStartingWith("cancelled while ");
      assertThat(task.state()).isEqualTo(GenerationTask.State.CANCELLED);
    }
    assertThat(canceller.late.values()).allMatch(more -> more <= 1);
    InputConfig small = layout.input().toBuilder().numInferenceSteps(2).build();
    List<GenerationTask> next = ranks.stream().map(rank -> rank.submit(small)).toList();
    List<Generation> drawn = next.stream().map(GenerationTask::await).toList();
    assertThat(drawn.stream().mapToInt(each -> each.images().size()).sum())
        .isEqualTo(layout == Layout.DATA ? 2 : 1);
    drawn.forEach(Generation::close);
    ranks.forEach(XDiTParallel::close);
    if (loads) {
      pipeline.close();
    }
  }
}
