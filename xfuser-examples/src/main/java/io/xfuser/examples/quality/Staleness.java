package io.xfuser.examples.quality;

import ai.djl.modality.cv.Image;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.cli.quality.Fidelity;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import java.awt.image.BufferedImage;
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

/** Compares PipeFusion's pictures with serial ones over prompts, patches and warm-up steps. */
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

  private Staleness() {}

  /** Takes the flags; {@code --help} tells them. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new Staleness()).execute(arguments));
  }

  /** One way to draw. */
  record StalenessSetting(int steps, int patches, int warmup, int stages) {}

  @Override
  public Integer call() throws IOException {
    List<InputConfig> requests = requests(given.prompts());
    List<Figures> all = new ArrayList<>();
    EngineConfig engine = EngineConfig.of(given.model());
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine.model())) {
      List<BufferedImage> serial = draw(pipeline, engine, requests);
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
        Figures figures = Figures.of(setting, compare(serial, draw(pipeline, stale, requests)));
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
        .writeValue(given.output().toFile(), Map.of("guidance_scale", guidance, "figures", all));
    return 0;
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

  /** Each batch has a seed of its own. */
  private List<InputConfig> requests(List<String> texts) {
    return IntStream.range(0, (texts.size() + batch - 1) / batch)
        .mapToObj(
            i ->
                InputConfig.builder(
                        texts
                            .subList(i * batch, Math.min((i + 1) * batch, texts.size()))
                            .toArray(String[]::new))
                    .seed(i)
                    .numInferenceSteps(steps)
                    .guidanceScale(guidance)
                    .useResolutionBinning(false)
                    .build())
        .toList();
  }

  private static List<BufferedImage> draw(
      DiffusionPipeline pipeline, EngineConfig engine, List<InputConfig> requests) {
    List<BufferedImage> pictures = new ArrayList<>();
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine)) {
      for (InputConfig request : requests) {
        try (Generation generation = ranks.generate(request)) {
          for (Image image : generation.images()) {
            pictures.add((BufferedImage) image.getWrappedImage());
          }
        }
      }
    }
    return pictures;
  }

  private static List<Fidelity> compare(List<BufferedImage> serial, List<BufferedImage> stale) {
    return IntStream.range(0, serial.size())
        .mapToObj(i -> Fidelity.of(serial.get(i), stale.get(i)))
        .toList();
  }
}
