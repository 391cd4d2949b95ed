package io.xfuser.internal.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import io.xfuser.internal.device.DeviceClock.Mark;
import io.xfuser.internal.trace.Trace;
import io.xfuser.torchscript.Program;
import io.xfuser.trace.TraceEvent;
import io.xfuser.trace.TraceEvent.Activity;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class DeviceClockTest {
  private final SimulatedGpu gpu = new SimulatedGpu();

  @Test
  void marksTellWhenTheGpuCameToThemOnTheHostsClock() {
    gpu.compute(5); // before the clock begins, which waits for it
    DeviceClock clock = gpu.clock();
    assertThat(gpu.now()).isEqualTo(5);
    gpu.host(1);
    gpu.compute(40);
    Mark busy = clock.mark();
    gpu.host(2);
    assertThat(gpu.now()).isEqualTo(8);
    assertThat(busy.nanos()).isEqualTo(SimulatedGpu.nanos(46));
    assertThat(gpu.now()).isEqualTo(46); // it was waited for
    gpu.host(10);
    assertThat(clock.mark().nanos()).isEqualTo(SimulatedGpu.nanos(56)); // an idle GPU
    clock.close();
    assertThat(gpu.events()).isZero();
  }

  @Test
  void onTheCpuAMarkIsNow() {
    DeviceClock clock = DeviceClock.of(Device.cpu());
    long before = System.nanoTime();
    long marked = clock.mark().nanos();
    assertThat(marked).isBetween(before, System.nanoTime());
    assertThat(clock.enqueues()).isFalse();
  }

  @Test
  void aTraceTellsWhatTheGpuDidWhen() {
    Trace trace = Trace.recording();
    DeviceClock clock = gpu.clock();
    trace.keepTimeBy(clock);
    for (int t = 0; t < 2; t++) {
      Activity unused =
          trace.during(
              Activity.BLOCKS,
              () -> {
                gpu.host(1);
                gpu.compute(30);
                return Activity.BLOCKS;
              });
    }
    assertThat(gpu.now()).isEqualTo(2); // recording waits for nothing
    assertThat(trace.events())
        .extracting(TraceEvent::nanos)
        .containsExactly(31_000_000L, 30_000_000L);
    assertThat(trace.events())
        .extracting(TraceEvent::start)
        .containsExactly(SimulatedGpu.nanos(0), SimulatedGpu.nanos(31));
  }

  @Test
  void theProgramOfEventsLacksNothingButCuda() throws IOException {
    String text;
    try (InputStream in =
        Objects.requireNonNull(GpuEvents.class.getResourceAsStream("gpu_events.py"))) {
      text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    if (Gpus.found().cuda()) {
      assertThatCode(() -> Program.compile("gpu_events.py", text)).doesNotThrowAnyException();
    } else {
      assertThatThrownBy(() -> Program.compile("gpu_events.py", text))
          .hasMessageContaining("torch.classes.cuda.Event");
    }
  }

  @Tag("gpu")
  @Test
  void aGpusOwnClockAgreesWithTheHosts() {
    long before = System.nanoTime();
    try (DeviceClock clock = DeviceClock.of(Device.gpu(0))) {
      Mark mark = clock.mark();
      mark.await();
      assertThat(mark.nanos()).isBetween(before, System.nanoTime() + 1_000_000);
    }
  }
}
