package io.xfuser.examples.gpucheck;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What nvidia-smi says of one GPU ten times a second. Its utilization is the share of the last
 * fraction of a second in which a kernel was running, so the rest of the mean is the time outside
 * kernels; other programs' kernels count too.
 */
final class GpuWatch implements AutoCloseable {
  private static final Pattern LINE = Pattern.compile("\\s*(\\d+)\\s*,\\s*(\\d+)\\s*");

  private final @Nullable Process process;
  private final List<int[]> samples = new ArrayList<>(); // percent, MiB
  private final @Nullable Thread reader;

  private GpuWatch(@Nullable Process process) {
    this.process = process;
    this.reader = process == null ? null : new Thread(() -> read(process), "gpu-watch");
    if (reader != null) {
      reader.setDaemon(true);
      reader.start();
    }
  }

  /** Watches nothing. */
  static GpuWatch none() {
    return new GpuWatch(null);
  }

  /** Watches the GPU that nvidia-smi knows by {@code id}; nothing where there is no nvidia-smi. */
  static GpuWatch of(String id) {
    return of(
        "nvidia-smi",
        "--id=" + id,
        "--query-gpu=utilization.gpu,memory.used",
        "--format=csv,noheader,nounits",
        "--loop-ms=100");
  }

  static GpuWatch of(String... command) {
    try {
      return new GpuWatch(
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start());
    } catch (IOException e) {
      return none();
    }
  }

  /** The GPU that libtorch calls cuda:0. */
  static String first() {
    String visible = System.getenv("CUDA_VISIBLE_DEVICES");
    return visible == null || visible.isBlank() ? "0" : visible.split(",", 2)[0].strip();
  }

  /** The share of the time watched in which no kernel ran, 0 to 1. */
  synchronized OptionalDouble outsideKernels() {
    return samples.stream().mapToDouble(sample -> 1 - sample[0] / 100.0).average();
  }

  /** The most bytes of its memory that were taken. */
  synchronized OptionalDouble peakBytes() {
    return samples.stream().mapToDouble(sample -> sample[1] * (double) (1 << 20)).max();
  }

  private void read(Process from) {
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(from.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        Matcher matcher = LINE.matcher(line);
        if (matcher.matches()) {
          add(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
        }
      }
    } catch (IOException e) {
      return; // it has been ended
    }
  }

  private synchronized void add(int percent, int mebibytes) {
    samples.add(new int[] {percent, mebibytes});
  }

  /** Stops watching; what was seen stays. */
  @Override
  public void close() {
    if (process != null && reader != null) {
      process.destroy();
      try {
        reader.join(1000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
