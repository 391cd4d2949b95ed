package io.xfuser.examples.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.sun.management.OperatingSystemMXBean;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.torchscript.Torch;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Computes when it is told to: it says {@code ready}, reads commands from standard input, a line
 * each, and answers with a line: {@code step VARIANT} with the seconds taken and the process's CPU
 * seconds, {@code save VARIANT FILE} with {@code saved} after writing what that variant gave.
 */
final class Served {
  private static final OperatingSystemMXBean PROCESS =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
  private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

  private Served() {}

  /** What is measured. */
  @FunctionalInterface
  interface Variant {
    /** Computes it once; the result is {@code owner}'s. */
    NDArray predict(NDManager owner);
  }

  /** Answers until standard input ends. */
  static void answer(NDManager manager, Map<String, ? extends Variant> variants)
      throws IOException {
    answer("ready");
    BufferedReader commands =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      String[] words = line.split(" ", 3);
      Variant variant = words.length < 2 ? null : variants.get(words[1]);
      if (variant == null) {
        answer("unknown: " + line);
        continue;
      }
      try (NDManager scope = manager.newSubManager()) {
        long start = System.nanoTime();
        long cpuStart = PROCESS.getProcessCpuTime();
        NDArray there = variant.predict(scope);
        NDArray prediction = Torch.to(scope, there, Device.cpu()); // waits until a GPU is done
        double cpuSeconds = (PROCESS.getProcessCpuTime() - cpuStart) / NANOS_PER_SECOND;
        double seconds = (System.nanoTime() - start) / NANOS_PER_SECOND;
        if (words[0].equals("save")) {
          SafeTensorsWriter.write(Path.of(words[2]), Map.of("prediction", prediction));
          answer("saved");
        } else {
          answer(seconds + " " + cpuSeconds);
        }
      }
    }
  }

  private static void answer(String line) {
    System.out.println(line);
  }
}
