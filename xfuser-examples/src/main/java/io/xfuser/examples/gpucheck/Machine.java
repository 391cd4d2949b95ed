package io.xfuser.examples.gpucheck;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.internal.device.Gpus;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Libtorch;
import io.xfuser.torchscript.Torch;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Versions and devices, and one small picture, there and on the CPU. */
@Command(
    name = "machine",
    mixinStandardHelpOptions = true,
    description = "Versions and devices, and a tiny picture.")
final class Machine implements Callable<Integer> {
  static final String MODEL = "pixart_sigma_tiny";
  private static final double LAW = 1e-4;

  @Mixin private Part part = new Part();

  private final Findings findings = Findings.told();

  @Override
  public Integer call() {
    Torch.prepareThread(1);
    GpuCheck.requireGpu(part);
    describe();
    Path model = part.setup().pipeline(MODEL);
    float[] exact = draw(model, "cpu", ElementType.FLOAT32);
    float[] there = draw(model, part.setup().shared(), ElementType.FLOAT32);
    float[] half = draw(model, part.setup().shared(), ElementType.BFLOAT16);
    double difference = largest(exact, there);
    boolean holds = difference <= LAW;
    findings.decides(
        holds
            ? "the stack loads and draws: %s from the CPU's picture in float32, %s in bfloat16"
            : "the stack loads, but draws another picture than the CPU: %s from it in float32, %s"
                + " in bfloat16",
        difference,
        largest(exact, half));
    return holds ? 0 : 1;
  }

  private void describe() {
    fact("devices used", part.isCuda() ? Gpus.found().count() + " GPUs" : "the CPU, as a dry run");
    Commands.lines(
            "nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
        .forEach(gpu -> fact("GPU", gpu));
    fact(
        "CPU",
        "%d cores of %s"
            .formatted(Runtime.getRuntime().availableProcessors(), Commands.processor()));
    fact("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    fact("Java", System.getProperty("java.vm.name") + " " + Runtime.version());
    fact("DJL", Engine.getDjlVersion());
    fact("libtorch", Libtorch.version());
    nccl().ifPresent(version -> fact("NCCL", version));
  }

  private void fact(String what, String value) {
    findings.row("what", what, "found", value);
  }

  /** The pixels of a small picture. */
  static float[] draw(Path model, String device, ElementType type) {
    EngineConfig engine =
        EngineConfig.builder(model)
            .runtime(RuntimeConfig.builder().device(device).dtype(type).build())
            .build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine)) {
      return draw(ranks);
    }
  }

  /** The same by ranks that are there. */
  static float[] draw(XDiTParallel ranks) {
    try (Generation generation = ranks.generate(input(2))) {
      try (NDManager scope = Torch.newManager()) {
        NDArray pixels = Torch.cast(scope, generation.tensor(), ElementType.FLOAT32);
        return Torch.to(scope, pixels, Device.cpu()).toFloatArray();
      }
    }
  }

  /** A small picture of so many steps. */
  static InputConfig input(int steps) {
    return InputConfig.builder("a red fox")
        .size(64, 64)
        .useResolutionBinning(false)
        .numInferenceSteps(steps)
        .outputType(OutputType.PT)
        .build();
  }

  /** The largest difference of two pictures' values. */
  static double largest(float[] x, float[] y) {
    double most = 0;
    for (int i = 0; i < x.length; i++) {
      most = Math.max(most, Math.abs(x[i] - y[i]));
    }
    return most;
  }

  /** Day, time and zone. */
  static String now() {
    return ZonedDateTime.now(ZoneId.systemDefault())
        .format(DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm z"));
  }

  /** NCCL's version; its classes are on the class path only where somebody has put them. */
  static Optional<String> nccl() {
    try {
      Method ask =
          Class.forName("org.bytedeco.cuda.global.nccl").getMethod("ncclGetVersion", int[].class);
      int[] version = {0};
      ask.invoke(null, version);
      return Optional.of(
          "%d.%d.%d".formatted(version[0] / 10_000, version[0] / 100 % 100, version[0] % 100));
    } catch (ReflectiveOperationException | LinkageError e) {
      return Optional.empty();
    }
  }
}
