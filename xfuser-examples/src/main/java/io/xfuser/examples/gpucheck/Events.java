package io.xfuser.examples.gpucheck;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.internal.device.DeviceClock;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.torchscript.Torch;
import java.util.Arrays;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Many small rounds between host and GPU, and requests after cancelled ones. */
@Command(
    name = "events",
    mixinStandardHelpOptions = true,
    description = "Events of the GPU's stream, and requests after cancelled ones.")
final class Events implements Callable<Integer> {
  private static final int STEPS = 60;

  /** Enqueued before the host waits. */
  private static final int AHEAD = 10;

  @Mixin private Part part = new Part();

  private final Findings findings = Findings.told();

  @Override
  public Integer call() {
    GpuCheck.requireGpu(part);
    boolean counted = count(Measured.on(part), part.isCuda() ? 10_000 : 100);
    boolean same = cancel(part.isCuda() ? 5 : 1);
    return counted && same ? 0 : 1;
  }

  /** Adds one in each round, with an event after it that the host awaits a little later. */
  private boolean count(Measured measured, int rounds) {
    try (NDManager owner = Torch.newManager();
        DeviceClock clock = DeviceClock.of(measured.device())) {
      NDManager kept = owner.newSubManager();
      NDArray x = RandomWeights.ones(kept, 256);
      x = Torch.to(kept, x, measured.device());
      DeviceClock.Mark[] marks = new DeviceClock.Mark[rounds];
      long start = System.nanoTime();
      for (int i = 0; i < rounds; i++) {
        NDManager next = owner.newSubManager();
        x = Measured.PROGRAM.call(next, "counted", x);
        kept.close();
        kept = next;
        marks[i] = clock.mark();
        if (i >= AHEAD) {
          marks[i - AHEAD].await();
        }
      }
      marks[rounds - 1].await();
      double micros = (System.nanoTime() - start) / 1e3 / rounds;
      long[] values = Torch.to(owner, x, Device.cpu()).toLongArray();
      boolean right = Arrays.stream(values).allMatch(value -> value == rounds + 1);
      findings.row("rounds", rounds, "µs each", micros, "checksum", right ? "right" : "**wrong**");
      findings.decides(
          right
              ? "%s rounds with an event each count right, %s µs a round"
              : "**%s rounds with an event each count wrong**, %s µs a round",
          rounds,
          micros);
      return right;
    }
  }

  /** Draws the same picture before and after a request that is cancelled in its course. */
  private boolean cancel(int times) {
    EngineConfig engine =
        EngineConfig.builder(part.setup().pipeline(Machine.MODEL))
            .runtime(RuntimeConfig.builder().device(part.setup().shared()).build())
            .parallel(ParallelConfig.builder().ulyssesDegree(2).build())
            .build();
    boolean same = true;
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine)) {
      float[] before = Machine.draw(ranks);
      for (int i = 0; i < times; i++) {
        int steps = 3 + 7 * i;
        boolean cancelled = cancelAfter(ranks, steps);
        boolean equal = Arrays.equals(before, Machine.draw(ranks));
        findings.row(
            "cancelled after step",
            steps,
            "cancelled",
            cancelled,
            "the next picture",
            equal ? "equal" : "**another**");
        same &= cancelled && equal;
      }
    }
    findings.decides(
        same
            ? "a cancelled request leaves nothing behind: the next picture has the same bits"
            : "**a request after a cancelled one fails or draws another picture**");
    return same;
  }

  private static boolean cancelAfter(XDiTParallel ranks, int steps) {
    GenerationTask task =
        ranks.submit(
            Machine.input(STEPS),
            progress -> !(progress instanceof Progress.Denoising && progress.done() >= steps));
    try {
      task.await().close();
      return false;
    } catch (CancelledException e) {
      return true;
    }
  }
}
