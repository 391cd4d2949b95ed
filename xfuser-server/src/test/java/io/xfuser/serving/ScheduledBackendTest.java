package io.xfuser.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import io.xfuser.server.Backend;
import io.xfuser.server.Drawn;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests of the demo model that stop for others, move, and are drawn together. */
@Timeout(120)
class ScheduledBackendTest {
  private static final EngineConfig ENGINE =
      EngineConfig.builder(Path.of("../xfuser-examples/demo-model")).build();

  private static DiffusionPipeline pipeline;

  @BeforeAll
  static void open() {
    pipeline = DiffusionPipeline.fromPretrained(ENGINE);
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  private static ScheduledBackend backend(Policy policy, int ranks, StepTimes times) {
    return new ScheduledBackend(pipeline, ENGINE, new Choice(policy, ranks, 1), times);
  }

  private static InputConfig input(long seed, int steps) {
    return InputConfig.builder("a fox " + seed)
        .seed(seed)
        .size(32, 32)
        .numInferenceSteps(steps)
        .build();
  }

  private static BufferedImage alone(InputConfig input) {
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, ENGINE);
        Generation generation = ranks.generate(input)) {
      return Drawn.of(generation).pictures().get(0).frames().get(0);
    }
  }

  /** The largest difference of a byte. */
  private static int difference(BufferedImage a, BufferedImage b) {
    int largest = 0;
    for (int y = 0; y < a.getHeight(); y++) {
      for (int x = 0; x < a.getWidth(); x++) {
        for (int shift = 0; shift < 24; shift += 8) {
          int own = a.getRGB(x, y) >> shift & 255;
          largest = Math.max(largest, Math.abs(own - (b.getRGB(x, y) >> shift & 255)));
        }
      }
    }
    return largest;
  }

  private static BufferedImage picture(Backend.Task task) throws Exception {
    return task.result().get(60, TimeUnit.SECONDS).pictures().get(0).frames().get(0);
  }

  @Test
  void picturesAreThoseOfTheirSeedsWhateverHappensToThem() throws Exception {
    Random random = new Random(3);
    StepTimes times = new StepTimes();
    try (ScheduledBackend backend = backend(Policy.GENSERVE, 2, times)) {
      List<InputConfig> inputs = new ArrayList<>();
      List<Backend.Task> tasks = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        inputs.add(input(i, 2 + random.nextInt(4)));
        Instant deadline = Instant.now().plusMillis(random.nextInt(3_000));
        tasks.add(
            backend.submit(
                inputs.get(i), random.nextBoolean() ? deadline : null, ProgressListener.NONE));
        TimeUnit.MILLISECONDS.sleep(random.nextInt(60));
      }
      for (int i = 0; i < inputs.size(); i++) {
        assertThat(difference(picture(tasks.get(i)), alone(inputs.get(i)))).isLessThanOrEqualTo(1);
      }
      assertThat(backend.waiting()).isZero();
      assertThat(times.of(shape(inputs.get(0)), 1, 1)).isNotEqualTo(1.0); // it was measured
    }
  }

  @Test
  void fileTellsTheLayoutOfTheRanksThatTookTheSteps() throws Exception {
    Choice two = new Choice(Policy.FCFS, 2, 2);
    try (ScheduledBackend backend = new ScheduledBackend(pipeline, ENGINE, two, new StepTimes())) {
      Backend.Task task = backend.submit(input(1, 3), null, ProgressListener.NONE);
      Drawn.Picture picture = task.result().get(60, TimeUnit.SECONDS).pictures().get(0);
      assertThat(picture.provenance().get("xfuser"))
          .contains("\"layout\":\"dp1_cfg1_ulysses2_ring1_pp1_patch1\"");
    }
  }

  @Test
  void alikeAreDrawnTogetherWithTheirOwnSeeds() throws Exception {
    String shape = shape(input(0, 3));
    StepTimes times = new StepTimes();
    double joined = 1e-6; // seconds: together they gain, however quick the first one's steps are
    times.measured(shape, 2, 1, joined);
    times.measured(shape, 3, 1, joined);
    try (ScheduledBackend backend = backend(Policy.GENSERVE, 1, times)) {
      Backend.Task first = backend.submit(input(9, 12), null, ProgressListener.NONE);
      List<Backend.Task> tasks = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        tasks.add(backend.submit(input(i, 3), null, ProgressListener.NONE));
      }
      picture(first);
      for (int i = 0; i < 3; i++) {
        assertThat(difference(picture(tasks.get(i)), alone(input(i, 3)))).isLessThanOrEqualTo(1);
      }
      boolean two = times.of(shape, 2, 1) != joined; // then a step of two was measured
      assertThat(two || times.of(shape, 3, 1) != joined).isTrue();
    }
  }

  @SuppressWarnings("NullAway") // of a task that is never run
  private static String shape(InputConfig input) {
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, ENGINE)) {
      return new ScheduledTask(
              null,
              new ScheduledTask.Asked(
                  0, input, ranks.check(input), 0, 0, new ElasticRanks.Means(1, true)),
              ProgressListener.NONE)
          .shape();
    }
  }

  @Test
  void requestsThatWaitOrRunCanBeCancelled() throws Exception {
    try (ScheduledBackend backend = backend(Policy.SRTF, 1, new StepTimes())) {
      Backend.Task runs = backend.submit(input(1, 900), null, ProgressListener.NONE);
      Backend.Task waits = backend.submit(input(2, 901), null, ProgressListener.NONE);
      Backend.Task shorter = backend.submit(input(3, 2), null, ProgressListener.NONE);
      waits.cancel();
      assertCancelled(waits);
      picture(shorter); // stops the long one, which goes on
      runs.cancel();
      assertCancelled(runs);
      picture(backend.submit(input(4, 1), null, ProgressListener.NONE));
    }
  }

  private static void assertCancelled(Backend.Task task) {
    assertThatThrownBy(() -> task.result().get(60, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(CancelledException.class);
  }

  @Test
  void closingRefusesWhatWaitsAndCancelsWhatIsLate() throws Exception {
    ScheduledBackend backend = backend(Policy.FCFS, 1, new StepTimes());
    Backend.Task runs = backend.submit(input(1, 900), null, ProgressListener.NONE);
    while (backend.waiting() > 0) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
    Backend.Task waits = backend.submit(input(2, 2), null, ProgressListener.NONE);
    assertThat(waits.place()).isEqualTo(1);
    assertThat(backend.close(Duration.ofMillis(20))).isFalse();
    assertCancelled(runs);
    assertThatThrownBy(() -> waits.result().get()).hasCauseInstanceOf(ClosedException.class);
    assertThatThrownBy(() -> backend.submit(input(3, 2), null, ProgressListener.NONE))
        .isInstanceOf(ClosedException.class);
  }
}
