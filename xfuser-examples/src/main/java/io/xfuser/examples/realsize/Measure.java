package io.xfuser.examples.realsize;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.model.GivenTensors;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.trace.TraceEvent;
import io.xfuser.trace.TraceEvent.Activity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Draws twice: a small picture, which loads all weights, and the one that is measured. A JVM of its
 * own for each element type, so that no run has the memory of another.
 */
@Command(name = "measure", description = "Draws, and writes what that took to a file.")
final class Measure implements Callable<Integer> {
  private static final List<String> PROMPT = List.of("a red fox in the snow");
  private static final int LOADING_SIDE = 64;
  private static final int LOADING_TOKENS = 8;

  @Option(names = "--folder", required = true)
  private Path folder = Path.of("");

  @Option(names = "--model", required = true, description = "as the script names it")
  private String model = "";

  @Option(names = "--dtype", required = true)
  private String dtype = "";

  @Option(names = "--side", description = "pixels", defaultValue = "512")
  private int side;

  @Option(names = "--steps", defaultValue = "2")
  private int steps;

  @Option(names = "--tokens", description = "of each prompt, padded; the most if not given")
  private @Nullable Integer tokens;

  @Option(names = "--quantize", description = "weights of transformer and text encoders")
  private @Nullable String quantize;

  @Option(names = "--quantize_text_encoder", description = "weights of text encoders")
  private @Nullable String quantizeText;

  @Option(names = "--weights_dtype", description = "keep or widen")
  private @Nullable String weights;

  @Option(names = "--offload", description = "none or layerwise", defaultValue = "none")
  private String offload = "none";

  @Option(names = "--max_memory", description = "with offload layerwise: 8GB for example")
  private @Nullable String memory;

  @Option(names = "--results", required = true)
  private Path results = Path.of("");

  @Override
  public Integer call() throws IOException {
    ElementType type = ElementType.valueOf(dtype.toUpperCase(Locale.ROOT));
    RealModel real = RealModel.of(model);
    ModelConfig config =
        real.in(folder)
            .set(ModelConfig.QUANTIZE, quantize)
            .set(ModelConfig.QUANTIZE_TEXT_ENCODER, quantizeText)
            .set(ModelConfig.WEIGHTS_DTYPE, weights)
            .build();
    EngineConfig engine =
        EngineConfig.builder(config)
            .runtime(
                r ->
                    r.dtype(type)
                        .set(RuntimeConfig.OFFLOAD, offload)
                        .set(RuntimeConfig.MAX_MEMORY, memory))
            .build();
    int length = tokens == null ? real.tokens() : tokens;
    try (Meter meter = new Meter()) {
      long start = System.nanoTime();
      List<MeasuredPhase> phases = draw(engine, length, meter);
      long peak = meter.between(start, System.nanoTime()).peakBytes();
      Measured.Rates rates = rates(real, length, phases.get(1).cpuSeconds(), meter);
      new JsonMapper().writeValue(results.toFile(), new Measured(title(), phases, rates, peak));
    }
    return 0;
  }

  private String title() {
    if (!offload.equals("none")) {
      return dtype + ", " + offload + (memory == null ? "" : ", " + memory);
    }
    if (weights != null) {
      return dtype + ", " + weights;
    }
    if (quantize != null) {
      return dtype + ", " + quantize;
    }
    return quantizeText == null ? dtype : dtype + ", text " + quantizeText;
  }

  private Measured.@Nullable Rates rates(RealModel real, int length, double cpuSeconds, Meter meter)
      throws IOException {
    Path config = folder.resolve(real.t5() + "/config.json");
    if (!Files.exists(config)) {
      return null;
    }
    Products products = new Products(new JsonMapper().readTree(config.toFile()), length);
    double rate = products.rate(Runtime.getRuntime().availableProcessors(), meter);
    return new Measured.Rates(real.prompts() * products.operations() / cpuSeconds, rate);
  }

  private List<MeasuredPhase> draw(EngineConfig engine, int length, Meter meter) {
    long start = System.nanoTime();
    AtomicLong denoised = new AtomicLong();
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine)) {
      InputConfig small = input(LOADING_SIDE, LOADING_TOKENS).numInferenceSteps(1).build();
      ranks.generate(small).close();
      long loaded = System.nanoTime();
      try (Generation generation =
          ranks.trace(
              input(side, length).numInferenceSteps(steps).build(),
              GivenTensors.NONE,
              progress -> {
                if (progress instanceof Progress.Denoising) {
                  denoised.set(System.nanoTime());
                }
                return true;
              })) {
        long end = System.nanoTime();
        check(generation.tensor());
        List<TraceEvent> events = generation.trace().ranks().get(0).events();
        // the trace's clock begins with its first event
        long clock = denoised.get() - end(events, Activity.HEAD);
        long encoded = clock + end(events, Activity.TEXT);
        return List.of(
            MeasuredPhase.of("loading", meter, start, loaded),
            MeasuredPhase.of("text", meter, loaded, encoded),
            MeasuredPhase.of("steps", meter, encoded, denoised.get()),
            MeasuredPhase.of("decoding", meter, denoised.get(), end));
      }
    }
  }

  private static InputConfigBuilder input(int side, int tokens) {
    return InputConfig.builder()
        .prompts(PROMPT)
        .height(side)
        .width(side)
        .useResolutionBinning(false)
        .maxSequenceLength(tokens)
        .seed(42)
        .outputType(OutputType.PT);
  }

  private static long end(List<TraceEvent> events, Activity what) {
    return events.stream()
        .filter(event -> event.what() == what)
        .mapToLong(TraceEvent::end)
        .max()
        .orElseThrow();
  }

  /** Random weights may overflow: a picture of one colour, or none, would measure nothing. */
  private static void check(NDArray pixels) {
    try (NDManager scope = Torch.newManager()) {
      NDArray exact = Torch.contiguous(scope, Torch.cast(scope, pixels, ElementType.FLOAT32));
      float[] values = exact.toFloatArray();
      float first = values[0];
      boolean drawn = Float.isFinite(first) && Arrays.stream(box(values)).anyMatch(x -> x != first);
      if (!drawn) {
        throw new IllegalStateException("the picture is of one colour or not finite");
      }
    }
  }

  private static double[] box(float[] values) {
    double[] wide = new double[values.length];
    Arrays.setAll(wide, i -> values[i]);
    return wide;
  }
}
