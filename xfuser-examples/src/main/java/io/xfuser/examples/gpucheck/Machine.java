package io.xfuser.examples.gpucheck;

import ai.djl.engine.Engine;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.device.Gpus;
import io.xfuser.torchscript.Libtorch;
import java.io.IOException;
import java.lang.reflect.Method;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Versions and devices. */
@Command(name = "machine", mixinStandardHelpOptions = true, description = "Versions and devices.")
final class Machine implements Callable<Integer> {
  @Mixin private DeviceOption device = new DeviceOption();
  @Mixin private Page page = new Page();

  @Override
  public Integer call() throws IOException {
    Libtorch.requireFit();
    int gpus = Gpus.found().count();
    if (device.isCuda() && gpus == 0) {
      throw new ArgumentException(
          "libtorch "
              + Engine.getEngine("PyTorch").getVersion()
              + " finds no GPU; --device cpu tries this check itself without one");
    }
    List<String> lines = new ArrayList<>();
    lines.add("- day: " + LocalDate.now(ZoneId.systemDefault()));
    lines.add("- devices used: " + (device.isCuda() ? gpus + " GPUs" : "the CPU, as a dry run"));
    Commands.lines(
            "nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
        .forEach(gpu -> lines.add("- GPU: " + gpu));
    lines.add(
        "- CPU: %d cores of %s"
            .formatted(Runtime.getRuntime().availableProcessors(), Commands.processor()));
    lines.add(
        "- system: " + System.getProperty("os.name") + " " + System.getProperty("os.version"));
    lines.add("- Java: " + System.getProperty("java.vm.name") + " " + Runtime.version());
    lines.add(
        "- DJL %s, libtorch %s"
            .formatted(Engine.getDjlVersion(), Engine.getEngine("PyTorch").getVersion()));
    nccl().ifPresent(version -> lines.add("- NCCL: " + version));
    page.add("Machine", lines);
    return 0;
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
