package io.xfuser.models.internal.pixart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.QueueFullException;
import io.xfuser.failure.RankException;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.GenerationTask.State;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import io.xfuser.testing.Pixels;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many requests, interrupts and closings at awkward times. */
@Timeout(300)
class RacesTest extends WatchedRanks {
  private final ExecutorService callers = Executors.newCachedThreadPool();

  @AfterEach
  void endCallers() {
    callers.shutdownNow();
  }

  @Test
  void ofAHundredRequestsOnAQueueOfTenElevenAreServedInOrderAndTheOthersRefused() throws Exception {
    try (XDiTParallel ranks = ranks(1)) {
      ranks.limitWaiting(10);
      Gate gate = Gate.inEachStep();
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
  void aQueueOfNothingTakesTheNextRequestOnceTheLastIsOver() throws Exception {
    try (XDiTParallel ranks = ranks(1)) {
      ranks.limitWaiting(0);
      for (int i = 0; i < 10; i++) {
        ranks.generate(FOX).close();
        ranks.submit(FOX).result().get().close();
        ranks.load();
      }
    }
  }

  @Test
  void whatAwaitGivesIsTheResultWhoeverCancelsItAfterwards() {
    try (XDiTParallel ranks = ranks(1)) {
      GenerationTask task = ranks.submit(FOX);
      try (Generation generation = task.await()) {
        assertThat(task.result()).isCompletedWithValue(generation);
        assertThat(task.result().cancel(true)).isFalse();
        assertThat(Pixels.floats(generation.tensor())).hasSize(3 * 64 * 64);
      }
    }
  }

  @Test
  void loadingThatWaitsIsInterruptedAtOnce() throws Exception {
    try (XDiTParallel ranks = ranks(1)) {
      Gate gate = Gate.inEachStep();
      GenerationTask first = ranks.submit(FOX);
      gate.reached.await();
      CompletableFuture<Throwable> ended = new CompletableFuture<>();
      Thread loads = new Thread(() -> ended.complete(catchThrowable(ranks::load)), "loads");
      loads.start();
      while (ranks.waiting() == 0 && !Thread.interrupted()) { // by the time limit
        Thread.onSpinWait();
      }
      loads.interrupt();
      assertThat(ended.get())
          .isInstanceOf(CancelledException.class)
          .hasMessage("interrupted before loading began");
      assertThat(first.state()).isEqualTo(State.RUNNING);
      gate.opened.countDown();
      first.await().close();
    }
  }

  @Test
  void closingWaitsAsLongAsCanBeSaid() {
    XDiTParallel ranks = ranks(1);
    GenerationTask task = ranks.submit(FOX);
    assertThat(ranks.close(Duration.ofSeconds(Long.MAX_VALUE))).isTrue();
    task.await().close();
    assertThat(ranks.close(Duration.ofSeconds(Long.MIN_VALUE))).isTrue();
  }

  @Test
  void aRequestThatWaitsIsCancelledAtOnceAndTheOthersAreServed() throws Exception {
    try (XDiTParallel ranks = ranks(1)) {
      Gate gate = Gate.inEachStep();
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
    Gate gate = Gate.inEachStep();
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
      Gate gate = Gate.inEachStep();
      GenerationTask first = ranks.submit(FOX);
      gate.reached.await();
      for (InputConfig impossible :
          List.of(
              FOX.toBuilder().height(100).build(),
              FOX.toBuilder().eta(0.5).build(),
              FOX.toBuilder().height(720_000).width(720_000).build())) {
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
