package io.xfuser.models.pixart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.PipelineModel;
import io.xfuser.pipeline.StepListener;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Listeners, interrupts and closings at awkward times. */
@Timeout(60)
class RacesTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");

  private static final InputConfig FOX =
      InputConfig.builder("a red fox")
          .height(64)
          .width(64)
          .useResolutionBinning(false)
          .numInferenceSteps(2)
          .outputType(OutputType.PT)
          .build();

  private static DiffusionPipeline pipeline;

  private final ExecutorService callers = Executors.newCachedThreadPool();

  @BeforeAll
  static void open() {
    pipeline = DiffusionPipeline.fromPretrained(ModelConfig.builder(MODEL).build());
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  @AfterEach
  void end() {
    callers.shutdownNow();
  }

  private static XDiTParallel ranks(ParallelConfig degrees) {
    return XDiTParallel.inProcess(pipeline, EngineConfig.builder(MODEL).parallel(degrees).build());
  }

  private static XDiTParallel oneRank() {
    return ranks(ParallelConfig.serial());
  }

  private static float[] pixels(XDiTParallel ranks, InputConfig input, StepListener listener) {
    try (Generation generation = ranks.generate(input, listener)) {
      return Pixels.floats(generation.tensor());
    }
  }

  /** A listener that has been called, and returns when it is told to. */
  private static final class Held implements StepListener {
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);

    @Override
    public boolean stepTaken(int step, int steps) {
      begun.countDown();
      try {
        return goOn.await(30, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
  }

  @Test
  void aListenerThatGeneratesOrClosesIsToldThatItWouldWaitForItself() {
    try (XDiTParallel ranks = oneRank()) {
      StepListener generates = (step, of) -> ranks.generate(FOX).images().isEmpty();
      assertThatThrownBy(() -> ranks.generate(FOX, generates))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining(
              "a listener cannot call generate of the pipeline that it listens to");
      AutoCloseable closing = ranks;
      StepListener closes = (step, of) -> closed(closing);
      assertThatThrownBy(() -> ranks.generate(FOX, closes))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("a listener cannot call close of the pipeline that it listens to");
      assertThat(pixels(ranks, FOX, StepListener.NONE)).hasSize(3 * 64 * 64);
    }
  }

  private static boolean closed(AutoCloseable ranks) {
    try {
      ranks.close();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    return true;
  }

  @Test
  void aListenerMayDrawWithOtherRanksOfThePipeline() {
    try (XDiTParallel ranks = oneRank();
        XDiTParallel others = oneRank()) {
      List<float[]> inner = new ArrayList<>();
      StepListener draws = (step, of) -> inner.add(pixels(others, FOX, StepListener.NONE));
      assertThat(pixels(ranks, FOX, draws)).isEqualTo(inner.get(0));
    }
  }

  @Test
  void ranksOfOtherPicturesHearOfACancelAndOfAnInterrupt() {
    AtomicInteger taken = new AtomicInteger();
    PipelineModel<?> counted = new CountedSteps<>(pipeline.model(), taken);
    DiffusionPipeline counting = DiffusionPipeline.of(counted, ElementType.FLOAT32);
    ParallelConfig two = ParallelConfig.builder().dataDegree(2).build();
    try (XDiTParallel ranks =
        XDiTParallel.inProcess(counting, EngineConfig.builder(MODEL).parallel(two).build())) {
      InputConfig both =
          FOX.toBuilder().prompts("a red fox", "two blue boats").numInferenceSteps(400).build();
      assertThatThrownBy(() -> ranks.generate(both, (step, of) -> false))
          .isInstanceOf(CancelledException.class)
          .hasMessage("cancelled after step 1 of 400");
      assertThat(taken.get()).isLessThan(400);
      Thread caller = Thread.currentThread();
      StepListener interrupts =
          (step, of) -> {
            caller.interrupt();
            return true;
          };
      assertThatThrownBy(() -> ranks.generate(both, interrupts))
          .isInstanceOf(CancelledException.class)
          .hasMessageContaining("of 400");
      assertThat(Thread.interrupted()).isTrue();
      assertThat(taken.get()).isLessThan(800);
    }
  }

  /** A caller who waits for the request before, and what was thrown at it in the end. */
  private record Waiting(Thread caller, AtomicReference<RuntimeException> thrown) {
    static Waiting behind(XDiTParallel ranks) throws InterruptedException {
      AtomicReference<RuntimeException> thrown = new AtomicReference<>();
      Thread caller =
          new Thread(
              () -> {
                try {
                  ranks.generate(FOX).close();
                } catch (CancelledException e) {
                  thrown.set(Thread.currentThread().isInterrupted() ? e : null);
                } catch (RuntimeException e) {
                  thrown.set(e);
                }
              });
      caller.start();
      awaitWaiting(caller);
      return new Waiting(caller, thrown);
    }
  }

  private Future<float[]> underWay(XDiTParallel ranks, Held held) throws InterruptedException {
    Future<float[]> running = callers.submit(() -> pixels(ranks, FOX, held));
    held.begun.await();
    return running;
  }

  @Test
  void aCallerThatIsInterruptedInTheQueueLeavesItAndTheOthersAreServed() throws Exception {
    try (XDiTParallel ranks = oneRank()) {
      Held held = new Held();
      Future<float[]> first = underWay(ranks, held);
      Waiting second = Waiting.behind(ranks);
      Future<float[]> third = callers.submit(() -> pixels(ranks, FOX, StepListener.NONE));
      second.caller().interrupt();
      second.caller().join();
      assertThat(second.thrown().get())
          .isInstanceOf(CancelledException.class)
          .hasMessage("interrupted before the request began");
      held.goOn.countDown();
      assertThat(third.get()).isEqualTo(first.get());
    }
  }

  @Test
  void closingRefusesThoseWhoWaitAndWaitsForTheOneUnderWay() throws Exception {
    XDiTParallel ranks = oneRank();
    Held held = new Held();
    Future<float[]> first = underWay(ranks, held);
    Waiting second = Waiting.behind(ranks);
    Thread closer = new Thread(ranks::close);
    closer.start();
    awaitWaiting(closer);
    held.goOn.countDown();
    assertThat(first.get()).hasSize(3 * 64 * 64);
    second.caller().join();
    closer.join();
    assertThat(second.thrown().get())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the pipeline was closed while the request waited");
    assertThatThrownBy(() -> ranks.generate(FOX)).hasMessage("the pipeline is closed");
  }

  @Test
  void whatCanBeSaidOfARequestIsSaidBeforeItWaits() throws Exception {
    try (XDiTParallel ranks = oneRank()) {
      Held held = new Held();
      Future<float[]> first = underWay(ranks, held);
      for (InputConfig impossible :
          List.of(
              FOX.toBuilder().size(100, 100).build(),
              FOX.toBuilder().eta(0.5).build(),
              FOX.toBuilder().size(96_000, 96_000).build())) {
        assertThatThrownBy(() -> ranks.generate(impossible))
            .isInstanceOf(IllegalArgumentException.class);
      }
      assertThat(first.isDone()).isFalse();
      held.goOn.countDown();
      first.get();
    }
  }

  private static void awaitWaiting(Thread thread) throws InterruptedException {
    while (thread.getState() != Thread.State.WAITING) {
      Thread.sleep(5);
    }
  }
}
