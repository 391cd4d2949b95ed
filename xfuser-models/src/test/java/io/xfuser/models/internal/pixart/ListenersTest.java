package io.xfuser.models.internal.pixart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.GenerationTask.State;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import io.xfuser.testing.Pixels;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A listener may do what it likes. */
@Timeout(300)
class ListenersTest extends WatchedRanks {
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
      assertThat(heard.stream().filter(Progress.Denoising.class::isInstance).map(Progress::done))
          .containsExactly(0L, 20L); // the beginning and the end
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
  void aListenerThatDoesNotReturnHoldsUpNoOtherListener() {
    CountDownLatch forever = new CountDownLatch(1);
    try (XDiTParallel ranks = ranks(1)) {
      GenerationTask stuck = ranks.submit(FOX, progress -> awaited(forever));
      assertThatThrownBy(() -> ranks.generate(LONG, progress -> false))
          .isInstanceOf(CancelledException.class);
      forever.countDown();
      stuck.await().close();
    }
  }

  @Test
  void aListenerMayThrowWhatItDoesNotDeclare() {
    try (XDiTParallel ranks = ranks(1)) {
      AtomicInteger heard = new AtomicInteger();
      ranks
          .generate(
              FOX,
              progress -> {
                heard.incrementAndGet();
                throw ListenersTest.<RuntimeException>undeclared(new IOException("no terminal"));
              })
          .close();
      assertThat(heard).hasValue(1);
    }
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <T extends Exception> T undeclared(Exception checked) throws T {
    throw (T) checked;
  }

  @Test
  void loadingHearsAListenerThatRefusesAtItsEnd() {
    try (XDiTParallel ranks = ranks(1)) {
      assertThatThrownBy(() -> ranks.load(progress -> !progress.complete()))
          .isInstanceOf(CancelledException.class)
          .hasMessageStartingWith("cancelled ");
      ranks.load();
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
}
