package io.xfuser.examples.quality;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ParallelConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Compares PipeFusion's pictures or videos with serial ones over prompts, patches and warm-up
 * steps.
 */
@Command(
    name = "scripts/quality/measure",
    description = "Measures what PipeFusion's stale keys and values change, and writes JSON.",
    mixinStandardHelpOptions = true,
    showDefaultValues = true)
public final class Staleness implements Callable<Integer> {
  @Mixin private ModelAndPrompts given = new ModelAndPrompts();

  @Option(names = "--num_inference_steps", description = "S.")
  private int steps = 10;

  @Option(names = "--num_pipeline_patch", split = ",", description = "The values of M.")
  private List<Integer> patches = List.of(2, 4, 8, 16);

  @Option(
      names = "--warmup_steps",
      split = ",",
      description = "The values of W; without it all from 0 to S.")
  private List<Integer> warmups = List.of();

  @Option(names = "--stages", split = ",", description = "The values of N.")
  private List<Integer> stages = List.of(1);

  @Option(names = "--guidance_scale", description = "Of all pictures.")
  private double guidance = 2.5;

  @Option(names = "--batch", description = "Pictures of a request.")
  private int batch = 25;

  @Option(names = "--num_frames", description = "Frames of a video; 0: the model's own number.")
  private int frames;

  @Option(names = "--size", split = "x", description = "Rows x columns of pixels; the model's own.")
  private List<Integer> size = List.of();

  private Staleness() {}

  /** Takes the flags; {@code --help} tells them. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new Staleness()).execute(arguments));
  }

  /**
   * One way to draw.
   *
   * @param steps S, denoising steps
   * @param patches M
   * @param warmup W, synchronous steps before patches are pipelined
   * @param stages N, pipeline stages
   */
  record StalenessSetting(
      @JsonProperty("steps") int steps,
      @JsonProperty("patches") int patches,
      @JsonProperty("warmup") int warmup,
      @JsonProperty("stages") int stages) {}

  @Override
  public Integer call() throws IOException {
    PromptBatches batches = new PromptBatches(given.prompts(), batch, guidance);
    List<InputConfig> requests = batches.requests(steps, this::size);
    List<Figures<StalenessSetting>> all = new ArrayList<>();
    EngineConfig engine = EngineConfig.of(given.model());
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine.model())) {
      PromptBatches.Drawn serial = PromptBatches.draw(pipeline, engine, requests);
      for (StalenessSetting setting : settings()) {
        EngineConfig stale =
            engine.toBuilder()
                .parallel(
                    ParallelConfig.builder()
                        .pipefusionDegree(setting.stages())
                        .numPipelinePatch(setting.patches())
                        .build())
                .runtime(r -> r.warmupSteps(setting.warmup()))
                .build();
        Figures<StalenessSetting> figures =
            Figures.of(setting, serial.compared(PromptBatches.draw(pipeline, stale, requests)));
        all.add(figures);
        System.out.printf(
            Locale.ROOT,
            "M=%d W=%d N=%d: PSNR %.1f dB, SSIM %.4f%n",
            setting.patches(),
            setting.warmup(),
            setting.stages(),
            figures.psnr(),
            figures.ssim());
      }
    }
    new ObjectMapper()
        .writerWithDefaultPrettyPrinter()
        .writeValue(
            given.output().toFile(),
            Map.of("guidance_scale", guidance, "num_frames", frames, "size", size, "figures", all));
    return 0;
  }

  private void size(InputConfigBuilder request) {
    if (frames > 0) {
      request.numFrames(frames);
    }
    if (!size.isEmpty()) {
      request.size(size.get(0), size.get(1));
    }
  }

  private List<StalenessSetting> settings() {
    List<Integer> all =
        warmups.isEmpty() ? IntStream.rangeClosed(0, steps).boxed().toList() : warmups;
    return stages.stream()
        .flatMap(
            n ->
                patches.stream()
                    .flatMap(m -> all.stream().map(w -> new StalenessSetting(steps, m, w, n))))
        .toList();
  }
}
