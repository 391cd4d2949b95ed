package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.CancelledException;
import io.xfuser.progress.Progress;
import java.awt.image.BufferedImage;
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
  void decodedPicturesOfOneRankSilenceNoneThatAnotherMakesOfLatents() {
    List<String> heard = Collections.synchronizedList(new ArrayList<>());
    Telling telling =
        new Telling(
            progress -> {
              int width = ((Progress.Preview) progress).pictures().get(0).getWidth();
              return heard.add(width + " after step " + progress.done());
            },
            () -> {});
    for (int step = 1; step <= 2; step++) {
      telling.tell(1, shown(step, 128));
      telling.tell(0, shown(step, 16));
      telling.tell(2, shown(step, 128));
    }
    telling.end();
    telling.await(CompletableFuture.completedFuture("pictures"), by -> {});
    assertThat(heard).endsWith("128 after step 2", "16 after step 2").doesNotHaveDuplicates();
  }

  private static Progress.Preview shown(long step, int width) {
    BufferedImage picture = new BufferedImage(width, 16, BufferedImage.TYPE_INT_RGB);
    return new Progress.Preview(step, 2, List.of(picture), 1, 1);
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
