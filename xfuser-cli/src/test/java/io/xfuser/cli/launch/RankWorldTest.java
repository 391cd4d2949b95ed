package io.xfuser.cli.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.cli.XDiT;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.RankException;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import io.xfuser.server.Backend;
import io.xfuser.server.Drawn;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

/** Ranks with JVMs of their own, which a server watches. */
class RankWorldTest {
  private static final Path MODEL =
      Path.of(
          "../xfuser-models/src/test/resources/fixtures/dit_tiny"); // no text encoder to compile

  @Test
  void killedRankRefusesWhatIsThereAndTheNextPictureIsRight()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    EngineConfig engine =
        EngineConfig.builder(MODEL)
            .parallel(ParallelConfig.builder().ulyssesDegree(2).build())
            .build();
    XDiTParallel judge = XDiTParallel.inProcess(engine);
    int[] expected = pixels(Drawn.of(judge.generate(input(2))));
    List<String> command =
        List.of("serve", "--model", MODEL.toString(), "--ulysses_degree", "2", "--threads", "1");
    LaunchPlan plan = new LaunchPlan(XDiT.class.getName(), command, LaunchTopology.local(2));
    List<ProcessHandle> before = ProcessHandle.current().children().toList();
    RankWorld started = RankWorld.start(judge, plan, System.err);
    try (RankWorld world = started) {
      assertThat(pixels(drawn(world))).isEqualTo(expected);

      Backend.Task cancelled = begun(world);
      cancelled.cancel();
      assertThatThrownBy(() -> cancelled.result().get(20, TimeUnit.SECONDS))
          .hasCauseInstanceOf(CancelledException.class);

      Backend.Task running = begun(world);
      Backend.Task waiting = world.submit(input(2), null, ProgressListener.NONE);
      List<ProcessHandle> ranks =
          ProcessHandle.current().children().filter(child -> !before.contains(child)).toList();
      ranks.get(ranks.size() - 1).destroyForcibly();
      for (Backend.Task task : List.of(running, waiting)) {
        assertThatThrownBy(() -> task.result().get(30, TimeUnit.SECONDS))
            .hasCauseInstanceOf(RankException.class)
            .hasMessageContaining("was lost: its process ended with exit status 137 (SIGKILL)");
      }
      long until = System.nanoTime() + Duration.ofMinutes(2).toNanos();
      while (!world.isOpen()) {
        assertThat(System.nanoTime()).isLessThan(until);
        Thread.sleep(50);
      }
      assertThat(pixels(drawn(world))).isEqualTo(expected);
    }
    assertThat(ProcessHandle.current().children().filter(child -> !before.contains(child)))
        .noneMatch(ProcessHandle::isAlive);
  }

  private static InputConfig input(int steps) {
    return InputConfig.builder().classLabels(List.of(7)).seed(7).numInferenceSteps(steps).build();
  }

  private static Drawn drawn(RankWorld world)
      throws InterruptedException, ExecutionException, TimeoutException {
    return world.submit(input(2), null, ProgressListener.NONE).result().get(60, TimeUnit.SECONDS);
  }

  /** A long request whose steps have begun. */
  private static Backend.Task begun(RankWorld world) throws InterruptedException {
    CountDownLatch steps = new CountDownLatch(2);
    Backend.Task task =
        world.submit(
            input(1000),
            null,
            progress -> {
              if (progress instanceof Progress.Denoising) {
                steps.countDown();
              }
              return true;
            });
    assertThat(steps.await(60, TimeUnit.SECONDS)).isTrue();
    return task;
  }

  private static int[] pixels(Drawn drawn) {
    BufferedImage image = drawn.pictures().get(0).frames().get(0);
    return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
  }
}
