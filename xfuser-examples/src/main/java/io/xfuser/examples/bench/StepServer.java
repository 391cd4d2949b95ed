package io.xfuser.examples.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.DeviceChoice;
import io.xfuser.internal.device.Gpus;
import io.xfuser.internal.runtime.LoadedTransformer;
import io.xfuser.model.GenerationRequest;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Takes one denoising step each time it is told to, so that {@code scripts/bench/step} can
 * alternate it with another program, by the commands of {@link Served}. Layouts are {@code serial}
 * (one rank with all threads) and {@code ulysses2} (two ranks with half of them each).
 */
@Command(name = "step-server", mixinStandardHelpOptions = true)
public final class StepServer implements Callable<Integer> {
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
      Served.answer(manager, layouts);
      layouts.values().forEach(RankedStep::close);
    }
  }
}
