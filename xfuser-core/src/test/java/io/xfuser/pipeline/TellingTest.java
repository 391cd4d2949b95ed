package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.CancelledException;
import io.xfuser.progress.Progress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class TellingTest {
  @Test
  void aSlowListenerHearsBeginningAndEndOfEachPhaseAndTheNewestBetween() throws Exception {
    List<Progress> heard = Collections.synchronizedList(new ArrayList<>());
    CountDownLatch listening = new CountDownLatch(1);
    CompletableFuture<Boolean> slow = new CompletableFuture<>();
    Telling telling =
        new Telling(
            progress -> {
              heard.add(progress);
              listening.countDown();
              return slow.join();
            },
            () -> {});
    telling.tell(0, new Progress.Encoding(0, 2));
    listening.await();
    for (int done = 0; done <= 5; done++) {
      telling.tell(0, new Progress.Denoising(done, 5, 0));
    }
    for (int done = 0; done <= 3; done++) {
      telling.tell(0, new Progress.Decoding(done, 5));
    }
    slow.complete(true);
    telling.end();
    assertThat(telling.await(CompletableFuture.completedFuture("pictures"), by -> {}))
        .isEqualTo("pictures");
    assertThat(heard)
        .containsExactly(
            new Progress.Encoding(0, 2),
            new Progress.Denoising(0, 5, 0),
            new Progress.Denoising(5, 5, 0),
            new Progress.Decoding(0, 5),
            new Progress.Decoding(3, 5));
  }

  @Test
  void anInterruptStopsTheWorkAndIsNotForgotten() {
    Telling telling = new Telling(progress -> true, () -> {});
    CompletableFuture<String> outcome = new CompletableFuture<>();
    Thread.currentThread().interrupt();
    assertThatThrownBy(
            () ->
                telling.await(
                    outcome, by -> outcome.completeExceptionally(new CancelledException(by))))
        .isInstanceOf(CancelledException.class)
        .hasMessage("interrupted");
    assertThat(Thread.interrupted()).isTrue();
  }
}
