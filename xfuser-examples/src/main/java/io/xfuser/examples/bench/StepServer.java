package io.xfuser.examples.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.sun.management.OperatingSystemMXBean;
import io.xfuser.config.DeviceChoice;
import io.xfuser.internal.device.Gpus;
import io.xfuser.internal.runtime.LoadedTransformer;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.model.GenerationRequest;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Takes one denoising step each time it is told to, so that {@code scripts/bench/step} can
 * alternate it with another program. It reads commands from standard input, a line each, and
 * answers with a line: {@code step LAYOUT} with the seconds taken and the process's CPU seconds,
 * {@code save LAYOUT FILE} with {@code saved} after writing that layout's prediction. {@code ready}
 * tells that it is set up. Layouts are {@code serial} (one rank with all threads) and {@code
 * ulysses2} (two ranks with half of them each).
 */
@Command(name = "step-server", mixinStandardHelpOptions = true)
public final class StepServer implements Callable<Integer> {
  private static final OperatingSystemMXBean PROCESS =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
  private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

  @Option(names = "--directory", required = true, description = "the pipeline's directory")
  private Path directory = Path.of("");

  @Option(names = "--input", required = true, description = "safetensors: latents, text.<name>")
  private Path input = Path.of("");

  @Option(names = "--timestep", required = true)
  private double timestep;

  @Option(names = "--dtype", required = true, description = "float32, bfloat16 or float16")
  private String dtype = "";

  @Option(names = "--threads", required = true, description = "threads of all ranks together")
  private int threads;

  @Option(names = "--device", defaultValue = "cpu", description = "cpu, cuda or cuda:i")
  private String device = "cpu";

  /** Runs until standard input ends. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new StepServer()).execute(args));
  }

  @Override
  public Integer call() throws IOException {
    Torch.prepareThread(threads);
    ElementType type = ElementType.valueOf(dtype.toUpperCase(Locale.ROOT));
    DeviceChoice choice = DeviceChoice.parse(device);
    Device place =
        choice.kind() == DeviceChoice.DeviceType.CUDA
            ? Device.gpu(Math.max(0, choice.index()))
            : Device.cpu();
    Gpus.enter(place);
    try (BenchModel model = BenchModel.open(directory, type)) {
      serve(model, model.transformer(Placement.on(place)), place);
    }
    return 0;
  }

  private <C> void serve(BenchModel model, TransformerSpec<C> spec, Device place)
      throws IOException {
    Map<String, RankedStep<C>> layouts = new TreeMap<>();
    try (NDManager manager = Torch.newManager();
        LoadedTransformer<C> transformer = new LoadedTransformer<>(spec)) {
      StepInput given = StepInput.read(manager, input);
      GenerationRequest request = model.request(given);
      RankStep.StepShape shape =
          new RankStep.StepShape(request.latents(), request.picture(), timestep);
      layouts.put("serial", new RankedStep<>(transformer, 1, threads, place, shape, given));
      if (threads % 2 == 0 && !place.isGpu()) {
        layouts.put("ulysses2", new RankedStep<>(transformer, 2, threads / 2, place, shape, given));
      }
      answer("ready");
      answerAll(manager, layouts);
      layouts.values().forEach(RankedStep::close);
    }
  }

  private <C> void answerAll(NDManager manager, Map<String, RankedStep<C>> layouts)
      throws IOException {
    BufferedReader commands =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      String[] words = line.split(" ", 3);
      RankedStep<C> layout = words.length < 2 ? null : layouts.get(words[1]);
      if (layout == null) {
        answer("unknown: " + line);
        continue;
      }
      try (NDManager scope = manager.newSubManager()) {
        long start = System.nanoTime();
        long cpuStart = PROCESS.getProcessCpuTime();
        NDArray there = layout.predict(scope); // (B, c, h, w) or (B, c, F, h, w)
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
