package io.xfuser.examples.quality;

import io.xfuser.cli.quality.VideoFidelity;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.ParallelConfigBuilder;
import io.xfuser.config.Settings.Compression;
import io.xfuser.examples.quality.PromptBatches.Drawn;
import io.xfuser.pipeline.DiffusionPipeline;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Compares pictures of which ranks sent one another some tokens, or changes, alone with serial
 * ones, and both with those of many steps, which neither is meant to be near.
 */
@Command(
    name = "scripts/quality/selected",
    description = "Measures what --selective_v changes, and prints a table.",
    mixinStandardHelpOptions = true,
    showDefaultValues = true)
public final class SelectedTokens implements Callable<Integer> {
  @Option(names = "--model", required = true, description = "A pipeline in diffusers' layout.")
  private Path model = Path.of("");

  @Option(names = "--prompts", required = true, description = "A file with a prompt per line.")
  private Path prompts = Path.of("");

  @Option(names = "--pictures", description = "How many of the prompts, from the first.")
  private int pictures = 25;

  @Option(names = "--num_inference_steps", split = ",", description = "The values of S.")
  private List<Integer> steps = List.of(10, 20);

  @Option(names = "--reference_steps", description = "Of the pictures that both are compared with.")
  private int many = 100;

  @Option(names = "--nodes", split = ",", description = "The numbers of ranks, each a node.")
  private List<Integer> nodes = List.of(2, 4);

  @Option(names = "--selective_v", split = ",", description = "The values of R.")
  private List<Double> shares = List.of(0.5, 1.0);

  @Option(
      names = "--compact_compress_type",
      split = ",",
      description = "Measures these instead, on rings of as many ranks.")
  private List<Compression> types = List.of();

  @Option(names = "--patches", description = "And these of DistriFusion's patches, not of rings.")
  private boolean patches;

  private SelectedTokens() {}

  /** Takes the flags; {@code --help} tells them. */
  public static void main(String[] arguments) {
    System.exit(
        new CommandLine(new SelectedTokens())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    List<String> texts = Files.readAllLines(prompts).stream().filter(x -> !x.isBlank()).toList();
    PromptBatches batches =
        new PromptBatches(texts.subList(0, Math.min(pictures, texts.size())), pictures, 2.5);
    EngineConfig engine = EngineConfig.of(model);
    String columns = types.isEmpty() ? "nodes | R" : "ranks | type";
    System.out.printf("| S | %s | PSNR | SSIM | PSNR to S = %d | serial | loss |%n", columns, many);
    System.out.println("|---|---|---|---|---|---|---|---|");
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine.model())) {
      Drawn reference = PromptBatches.draw(pipeline, engine, batches.requests(many, x -> {}));
      for (int count : steps) {
        List<InputConfig> requests = batches.requests(count, x -> {});
        Drawn serial = PromptBatches.draw(pipeline, engine, requests);
        double own = psnr(reference.compared(serial));
        for (int ranks : nodes) {
          for (Map.Entry<String, ParallelConfig> way : ways(ranks).entrySet()) {
            EngineConfig asked = engine.toBuilder().parallel(way.getValue()).build();
            Drawn drawn = PromptBatches.draw(pipeline, asked, requests);
            List<VideoFidelity> near = serial.compared(drawn);
            double far = psnr(reference.compared(drawn));
            System.out.printf(
                Locale.ROOT,
                "| %d | %d | %s | %.1f | %.3f | %.2f | %.2f | %.2f |%n",
                count,
                ranks,
                way.getKey(),
                psnr(near),
                near.stream().mapToDouble(VideoFidelity::ssim).average().orElse(Double.NaN),
                far,
                own,
                own - far);
          }
        }
      }
    }
    return 0;
  }

  private Map<String, ParallelConfig> ways(int ranks) {
    Map<String, ParallelConfig> all = new LinkedHashMap<>();
    for (Compression type : types) {
      ParallelConfigBuilder layout =
          patches
              ? ParallelConfig.builder().distrifusionDegree(ranks)
              : ParallelConfig.builder().ringDegree(ranks);
      all.put(type.name().toLowerCase(Locale.ROOT), layout.compactCompressType(type).build());
    }
    for (double share : types.isEmpty() ? shares : List.<Double>of()) {
      all.put(
          String.valueOf(share),
          ParallelConfig.builder().ulyssesDegree(ranks).selectiveV(share).build());
    }
    return all;
  }

  /** The mean in dB; equal pictures are left out. */
  private static double psnr(List<VideoFidelity> each) {
    return each.stream()
        .mapToDouble(VideoFidelity::psnr)
        .filter(Double::isFinite)
        .average()
        .orElse(Double.NaN);
  }
}
