package io.xfuser.examples.quality;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.pipeline.DiffusionPipeline;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Compares pictures of which a step cache spared steps with those of all steps, and beside them
 * pictures of fewer steps, all of which were computed.
 */
@Command(
    name = "scripts/quality/measure",
    description = "Measures what step caches change, and writes JSON.",
    mixinStandardHelpOptions = true,
    showDefaultValues = true)
public final class StepCaches implements Callable<Integer> {
  @Mixin private ModelAndPrompts given = new ModelAndPrompts();

  @Option(names = "--num_inference_steps", description = "S.")
  private int steps = 20;

  @Option(names = "--fewer", split = ",", description = "Steps of pictures without a cache.")
  private List<Integer> fewer = List.of(6, 8, 10, 12, 14, 16);

  @Option(
      names = "--caches",
      split = ",",
      description = "METHOD=THRESHOLD; of taylorseer the steps it spares one after the other.")
  private List<String> caches = List.of();

  @Option(names = "--num_pipeline_patch", split = ",", description = "The values of M; W is 1.")
  private List<Integer> patches = List.of(1, 4);

  @Option(names = "--cache_calibration", description = "What teacache and magcache need.")
  private @Nullable Path calibration;

  @Option(names = "--guidance_scale", description = "Of all pictures.")
  private double guidance = 2.5;

  @Option(names = "--batch", description = "Pictures of a request, which decides for all of them.")
  private int batch = 1;

  private StepCaches() {}

  /** Takes the flags; {@code --help} tells them. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new StepCaches()).execute(arguments));
  }

  /**
   * One way to draw.
   *
   * @param cache the method, or none
   * @param value its threshold, or what stands in its place
   * @param steps S
   * @param patches M
   */
  record CacheSetting(
      @JsonProperty("cache") String cache,
      @JsonProperty("value") double value,
      @JsonProperty("steps") int steps,
      @JsonProperty("patches") int patches) {
    void set(InputConfigBuilder request) {
      StepCache method = StepCache.valueOf(cache.toUpperCase(Locale.ROOT));
      request.set(InputConfig.CACHE, method);
      if (method == StepCache.TAYLORSEER) {
        request.set(InputConfig.CACHE_MAX_CONTINUOUS, (int) value);
      } else if (method != StepCache.NONE) {
        request.set(InputConfig.CACHE_THRESHOLD, value);
      }
    }
  }

  /**
   * What came of it.
   *
   * @param figures of the pictures
   * @param computed steps, in the mean of all pictures; of patches their share of one
   */
  record Outcome(
      @JsonUnwrapped Figures<CacheSetting> figures, @JsonProperty("computed") double computed) {}

  @Override
  public Integer call() throws IOException {
    PromptBatches batches = new PromptBatches(given.prompts(), batch, guidance);
    ModelConfig model =
        ModelConfig.builder(given.model()).set(ModelConfig.CACHE_CALIBRATION, calibration).build();
    EngineConfig engine = EngineConfig.builder(model).build();
    List<Outcome> all = new ArrayList<>();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(model)) {
      PromptBatches.Drawn whole =
          PromptBatches.draw(pipeline, engine, batches.requests(steps, request -> {}));
      for (CacheSetting setting : settings()) {
        EngineConfig cut =
            engine.toBuilder()
                .parallel(ParallelConfig.builder().numPipelinePatch(setting.patches()).build())
                .runtime(r -> r.warmupSteps(1))
                .build();
        PromptBatches.Drawn drawn =
            PromptBatches.draw(pipeline, cut, batches.requests(setting.steps(), setting::set));
        all.add(outcome(setting, whole, drawn));
        write(all); // what is measured so far is kept
      }
    }
    return 0;
  }

  private static Outcome outcome(
      CacheSetting setting, PromptBatches.Drawn whole, PromptBatches.Drawn drawn) {
    // the first step is the only one of the whole picture, and always computed
    double computed = setting.steps() - drawn.spared() / setting.patches();
    Figures<CacheSetting> figures = Figures.of(setting, whole.compared(drawn));
    System.out.printf(
        Locale.ROOT,
        "%s %s S=%d M=%d: %.1f steps computed, PSNR %.1f dB, SSIM %.4f%n",
        setting.cache(),
        setting.value(),
        setting.steps(),
        setting.patches(),
        computed,
        figures.psnr(),
        figures.ssim());
    return new Outcome(figures, computed);
  }

  private List<CacheSetting> settings() {
    return patches.stream()
        .flatMap(
            m ->
                Stream.concat(
                    Stream.concat(fewer.stream(), m > 1 ? Stream.of(steps) : Stream.empty())
                        .map(s -> new CacheSetting("none", 0, s, m)),
                    caches.stream().map(cache -> cached(cache, m))))
        .toList();
  }

  private CacheSetting cached(String cache, int patches) {
    String[] parts = cache.split("=", 2);
    return new CacheSetting(parts[0], Double.parseDouble(parts[1]), steps, patches);
  }

  private void write(List<Outcome> all) throws IOException {
    new ObjectMapper()
        .writerWithDefaultPrettyPrinter()
        .writeValue(
            given.output().toFile(),
            new TreeMap<>(Map.of("guidance_scale", guidance, "batch", batch, "figures", all)));
  }
}
