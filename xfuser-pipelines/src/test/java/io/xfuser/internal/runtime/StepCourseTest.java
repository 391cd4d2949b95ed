package io.xfuser.internal.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.CancelledException;
import io.xfuser.internal.device.DeviceClock;
import io.xfuser.internal.device.SimulatedGpu;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.internal.report.RankFigures;
import io.xfuser.nn.Range;
import io.xfuser.report.RankReport;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Steps on a GPU that needs 40 ms for each, of which the host enqueues one in 1 ms. */
class StepCourseTest {
  private final NDManager manager = Torch.newManager();
  private final SimulatedGpu gpu = new SimulatedGpu();
  private final List<String> course = new ArrayList<>();
  private final List<Double> toldAt = new ArrayList<>();

  @AfterEach
  void close() {
    manager.close();
  }

  private void step(int t) {
    course.add("take " + t);
    gpu.host(1);
    gpu.compute(40);
  }

  private RankFigures figures(DeviceClock clock) {
    return new RankFigures(manager, Device.cpu(), clock);
  }

  private void told(int t) {
    course.add("done " + t);
    toldAt.add(gpu.now());
  }

  @Test
  void secondsAreThoseOfTheGpu() {
    DeviceClock clock = gpu.clock();
    RankFigures times = figures(clock);
    DeviceClock.Mark text = clock.mark();
    gpu.compute(7);
    times.textEncoded(text);
    new StepCourse(times, this::step, this::told).take(new Range(0, 3), new StepGate(), () -> {});
    DeviceClock.Mark decoding = clock.mark();
    gpu.compute(90);
    times.decoded(decoding);
    RankReport report = report(times);
    assertThat(report.textEncodeSeconds()).isEqualTo(0.007, within(1e-9));
    assertThat(report.stepSeconds())
        .hasSize(3)
        .allSatisfy(s -> assertThat(s).isEqualTo(0.040, within(1e-9)));
    assertThat(report.denoiseSeconds()).isEqualTo(0.120, within(1e-9)); // the GPU had no pause
    assertThat(report.vaeSeconds()).isEqualTo(0.090, within(1e-9));
  }

  @Test
  void aStepIsToldWhenTheGpuHasDoneItAndHasTheNextOne() {
    new StepCourse(figures(gpu.clock()), this::step, this::told)
        .take(new Range(0, 3), new StepGate(), () -> {});
    assertThat(course).containsExactly("take 0", "take 1", "done 0", "take 2", "done 1", "done 2");
    assertThat(toldAt).containsExactly(41.0, 81.0, 121.0);
  }

  @Test
  void onTheCpuAStepIsToldBeforeTheNextOneBegins() {
    new StepCourse(figures(DeviceClock.CPU), this::step, this::told)
        .take(new Range(0, 3), new StepGate(), () -> course.add("looked"));
    assertThat(course)
        .containsExactly(
            "take 0", "looked", "done 0", "take 1", "looked", "done 1", "take 2", "looked",
            "done 2");
  }

  @Test
  void aCancelIsHeardAtMostOneStepLate() {
    StepCourse cancelled =
        new StepCourse(
            figures(gpu.clock()),
            this::step,
            t -> {
              told(t);
              throw new CancelledException("enough");
            });
    assertThatThrownBy(() -> cancelled.take(new Range(0, 30), new StepGate(), () -> {}))
        .hasMessage("enough");
    assertThat(course).containsExactly("take 0", "take 1", "done 0");
  }

  private static RankReport report(RankFigures figures) {
    InProcessRanks alone = new InProcessRanks(1, Duration.ofSeconds(1));
    try (World world = new World(alone.transport(0))) {
      return figures.report(world);
    }
  }
}
