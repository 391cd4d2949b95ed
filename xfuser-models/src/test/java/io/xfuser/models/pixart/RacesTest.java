package io.xfuser.models.pixart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.QueueFullException;
import io.xfuser.failure.RankException;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.GenerationTask.State;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many requests, listeners, interrupts and closings at awkward times. */
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
          .seed(1)
          .build();

  private static final InputConfig LONG = FOX.toBuilder().numInferenceSteps(400).build();

  private static DiffusionPipeline pipeline;
  private static DiffusionPipeline watched;
  private static volatile Runnable eachStep = () -> {};

  private final ExecutorService callers = Executors.newCachedThreadPool();

  @BeforeAll
  static void open() {
    pipeline = DiffusionPipeline.fromPretrained(ModelConfig.builder(MODEL).build());
    watched =
        DiffusionPipeline.of(
            new WatchedSteps<>(pipeline.model(), () -> eachStep.run()), ElementType.FLOAT32);
  }

  @AfterAll
  static void close() {
    watched.close();
    pipeline.close();
  }

  @AfterEach
  void end() {
    eachStep = () -> {};
    callers.shutdownNow();
  }

  /** One rank, or four: two stages of two Ulysses ranks. */
  private static XDiTParallel ranks(int count) {
    ParallelConfig degrees = ParallelConfig.serial();
    if (count == 4) {
      degrees = degrees.toBuilder().ulyssesDegree(2).pipefusionDegree(2).build();
    }
    return XDiTParallel.inProcess(watched, EngineConfig.builder(MODEL).parallel(degrees).build());
  }

  private static float[] pixels(XDiTParallel ranks) {
    try (Generation generation = ranks.generate(FOX)) {
      return Pixels.floats(generation.tensor());
    }
  }

  /** Has the ranks wait in their next step until it is opened. */
  private static final class Gate {
    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch opened = new CountDownLatch(1);

    Gate() {
      eachStep = this::pass;
    }

    private void pass() {
      reached.countDown();
      try {
        opened.await(30, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static boolean isLastStep(Progress progress) {
    return progress instanceof Progress.Denoising && progress.complete();
  }

  @Test
  void ofAHundredRequestsOnAQueueOfTenElevenAreServedInOrderAndTheOthersRefused() throws Exception {
    try (XDiTParallel ranks = ranks(1)) {
      ranks.limitWaiting(10);
      Gate gate = new Gate();
      List<Integer> served = Collections.synchronizedList(new ArrayList<>());
      List<GenerationTask> taken = new ArrayList<>();
      AtomicInteger refused = new AtomicInteger();
      for (int i = 0; i < 100; i++) {
        int number = i;
        ProgressListener listener = progress -> !isLastStep(progress) || served.add(number);
        try {
          taken.add(ranks.submit(FOX, listener));
        } catch (QueueFullException e) {
          assertThat(e).hasMessage("10 requests wait, and no more than 10 may");
          assertThat(List.of(e.length(), e.bound())).containsExactly(10, 10);
          refused.incrementAndGet();
        }
      }
      gate.reached.await();
      assertThat(refused).hasValue(89);
      assertThat(ranks.waiting()).isEqualTo(10);
      assertThat(taken)
          .extracting(GenerationTask::place)
          .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
      assertThat(taken.get(0).state()).isEqualTo(State.RUNNING);
      assertThat(taken.get(10).state()).isEqualTo(State.WAITING);
      gate.opened.countDown();
      taken.forEach(task -> task.await().close());
      assertThat(served).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
      assertThat(taken).extracting(GenerationTask::state).containsOnly(State.DONE);
      assertThat(ranks.waiting()).isZero();
    }
  }

  @Test
  void aRequestThatWaitsIsCancelledAtOnceAndTheOthersAreServed() throws Exception {
    try (XDiTParallel ranks = ranks(1)) {
      Gate gate = new Gate();
      GenerationTask first = ranks.submit(FOX);
      GenerationTask second = ranks.submit(FOX);
      GenerationTask third = ranks.submit(FOX);
      AtomicReference<RuntimeException> thrown = new AtomicReference<>();
      Thread caller = new Thread(() -> thrown.set(interruptedIn(second)));
      caller.start();
      gate.reached.await();
      caller.interrupt();
      caller.join();
      assertThat(thrown.get())
          .isInstanceOf(CancelledException.class)
          .hasMessage("interrupted before the request began");
      assertThat(second.state()).isEqualTo(State.CANCELLED);
      assertThat(third.place()).isEqualTo(1);
      gate.opened.countDown();
      first.await().close();
      third.await().close();
    }
  }

  /** What a caller hears who waits and is interrupted, and stays so. */
  private static RuntimeException interruptedIn(GenerationTask task) {
    try {
      task.await().close();
      return new IllegalStateException("nothing was thrown");
    } catch (CancelledException e) {
      return Thread.interrupted() ? e : new IllegalStateException("the interrupt was lost");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void anInterruptOfTheWaitingThreadStopsTheRanksAndTheNextCallWorks(int count) {
    try (XDiTParallel ranks = ranks(count)) {
      float[] alone = pixels(ranks);
      Thread caller = Thread.currentThread();
      AtomicInteger steps = new AtomicInteger();
      eachStep =
          () -> {
            steps.incrementAndGet();
            caller.interrupt();
          };
      assertThatThrownBy(() -> ranks.generate(LONG))
          .isInstanceOf(CancelledException.class)
          .hasMessageMatching("interrupted while .* of 400");
      assertThat(Thread.interrupted()).isTrue();
      assertThat(steps.get()).isLessThan(400);
      eachStep = () -> {};
      assertThat(pixels(ranks)).isEqualTo(alone);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void aListenerCancelsByReturningFalse(int count) {
    try (XDiTParallel ranks = ranks(count)) {
      float[] alone = pixels(ranks);
      assertThatThrownBy(
              () -> ranks.generate(LONG, progress -> !(progress instanceof Progress.Denoising)))
          .isInstanceOf(CancelledException.class)
          .hasMessageStartingWith("cancelled while ");
      assertThat(pixels(ranks)).isEqualTo(alone);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void aListenerThatThrowsHearsNoMoreAndTheRequestGoesOn(int count) {
    try (XDiTParallel ranks = ranks(count)) {
      AtomicInteger heard = new AtomicInteger();
      ProgressListener broken =
          progress -> {
            heard.incrementAndGet();
            throw new UnsupportedOperationException("the progress bar is broken");
          };
      try (Generation generation = ranks.generate(FOX, broken)) {
        assertThat(Pixels.floats(generation.tensor())).isEqualTo(pixels(ranks));
      }
      assertThat(heard).hasValue(1);
    }
  }

  @Test
  void aListenerThatDoesNotReturnHoldsUpNeitherItsRequestNorTheNext() {
    CountDownLatch forever = new CountDownLatch(1);
    List<Progress> heard = Collections.synchronizedList(new ArrayList<>());
    try (XDiTParallel ranks = ranks(1)) {
      ProgressListener stuck =
          progress -> {
            heard.add(progress);
            return awaited(forever);
          };
      GenerationTask task = ranks.submit(FOX.toBuilder().numInferenceSteps(20).build(), stuck);
      ranks.generate(FOX).close();
      assertThat(task.state()).isEqualTo(State.DONE);
      assertThat(heard).hasSize(1);
      forever.countDown();
      task.await().close();
      List<Progress> steps = heard.stream().filter(Progress.Denoising.class::isInstance).toList();
      assertThat(steps).singleElement().matches(Progress::complete);
    }
  }

  private static boolean awaited(CountDownLatch latch) {
    try {
      return latch.await(30, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Test
  void aListenerMayGenerateAndHearsTheRestAfterwards() {
    try (XDiTParallel ranks = ranks(1)) {
      List<float[]> inner = new ArrayList<>();
      AtomicInteger last = new AtomicInteger();
      ProgressListener draws =
          progress -> {
            last.addAndGet(isLastStep(progress) ? 1 : 0);
            return !inner.isEmpty() || inner.add(pixels(ranks));
          };
      try (Generation generation = ranks.generate(FOX, draws)) {
        assertThat(Pixels.floats(generation.tensor())).isEqualTo(inner.get(0));
      }
      assertThat(last).hasValue(1);
    }
  }

  @Test
  void aListenerMayCloseAndItsOwnRequestIsFinished() {
    XDiTParallel ranks = ranks(1);
    AtomicInteger closed = new AtomicInteger();
    ProgressListener closes =
        progress -> {
          ranks.close();
          return closed.incrementAndGet() > 0;
        };
    try (Generation generation = ranks.generate(FOX, closes)) {
      assertThat(Pixels.floats(generation.tensor())).hasSize(3 * 64 * 64);
    }
    ranks.close();
    assertThat(ranks.isOpen()).isFalse();
    assertThatThrownBy(() -> ranks.generate(FOX))
        .isInstanceOf(ClosedException.class)
        .hasMessage("the pipeline is closed");
  }

  @Test
  void whatFollowsAResultMayGenerateAndItsTimeLimitCancels() throws Exception {
    try (XDiTParallel ranks = ranks(1)) {
      CompletableFuture<float[]> next =
          ranks
              .submit(FOX)
              .result()
              .thenApply(
                  generation -> {
                    generation.close();
                    return pixels(ranks);
                  });
      assertThat(next.get()).hasSize(3 * 64 * 64);
      GenerationTask late = ranks.submit(LONG);
      late.result().orTimeout(20, TimeUnit.MILLISECONDS);
      assertThatThrownBy(late::await).isInstanceOf(CancelledException.class);
      assertThat(late.result()).isCompletedExceptionally();
      assertThat(pixels(ranks)).hasSize(3 * 64 * 64);
    }
  }

  @Test
  void aStepThatFailsIsToldWithItsRankAndTheNextCallWorks() {
    try (XDiTParallel ranks = ranks(1)) {
      eachStep =
          () -> {
            throw new UnsupportedOperationException("no such step");
          };
      GenerationTask task = ranks.submit(FOX);
      assertThatThrownBy(task::await)
          .isInstanceOfSatisfying(
              RankException.class,
              e -> {
                assertThat(e.rank()).isZero();
                assertThat(e.activity()).isEqualTo("in synchronous step 1 of 2");
                assertThat(e).hasMessageEndingWith(e.activity() + ": no such step");
              });
      assertThat(task.state()).isEqualTo(State.FAILED);
      eachStep = () -> {};
      assertThat(pixels(ranks)).hasSize(3 * 64 * 64);
    }
  }

  @Test
  void closingRefusesThoseWhoWaitAndWaitsForTheOneUnderWay() throws Exception {
    XDiTParallel ranks = ranks(1);
    Gate gate = new Gate();
    GenerationTask first = ranks.submit(FOX);
    GenerationTask second = ranks.submit(FOX);
    gate.reached.await();
    Future<?> closing = callers.submit(() -> ranks.close());
    assertThatThrownBy(second::await)
        .isInstanceOf(ClosedException.class)
        .hasMessage("the pipeline was closed while the request waited");
    assertThat(closing.isDone()).isFalse();
    gate.opened.countDown();
    closing.get();
    assertThat(first.state()).isEqualTo(State.DONE);
    first.await().close();
    ranks.close();
  }

  @Test
  void closingWithALimitCancelsWhatTakesLonger() {
    XDiTParallel quick = ranks(1);
    quick.submit(FOX);
    assertThat(quick.close(Duration.ofSeconds(30))).isTrue();
    XDiTParallel slow = ranks(4);
    GenerationTask task = slow.submit(LONG);
    assertThat(slow.close(Duration.ofMillis(20))).isFalse();
    assertThatThrownBy(task::await)
        .isInstanceOf(CancelledException.class)
        .hasMessageStartingWith("closed while ");
  }

  @Test
  void whatCanBeSaidOfARequestIsSaidBeforeItWaits() throws Exception {
    try (XDiTParallel ranks = ranks(1)) {
      Gate gate = new Gate();
      GenerationTask first = ranks.submit(FOX);
      gate.reached.await();
      for (InputConfig impossible :
          List.of(
              FOX.toBuilder().height(100).build(),
              FOX.toBuilder().eta(0.5).build(),
              FOX.toBuilder().height(96_000).width(96_000).build())) {
        assertThatThrownBy(() -> ranks.submit(impossible))
            .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ranks.check(impossible))
            .isInstanceOf(IllegalArgumentException.class);
      }
      assertThat(ranks.check(FOX).calls()).isEqualTo(2);
      assertThat(first.state()).isEqualTo(State.RUNNING);
      gate.opened.countDown();
      first.await().close();
    }
  }
}
