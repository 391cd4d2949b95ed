package io.xfuser.models.contract;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.models.internal.vae.AutoencoderKlConfig;
import io.xfuser.models.internal.vae.VaeCosts;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.report.RankReport;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Counts what the methods send and hold with {@link DeepPixArt}. A is the bytes of its hidden
 * states: rows · {@value DeepPixArt#TOKENS} tokens · {@value DeepPixArt#WIDTH} values. What was run
 * once is not run again.
 */
final class CostTable implements AutoCloseable {
  static final int RANKS = 4;

  private static final int STEPS = 2;
  private static final int ROWS = 2; // negative and positive prompt
  private static final double A = 4.0 * ROWS * DeepPixArt.TOKENS * DeepPixArt.WIDTH;
  private static final ParallelConfig SERIAL = ParallelConfig.serial();
  private static final double L = DeepPixArt.BLOCKS;
  private static final double N = RANKS;

  private final Path directory;
  private final DiffusionPipeline pipeline;
  private final Map<Run, List<RankReport>> reports = new HashMap<>();

  /** Of the pipeline in {@code directory}. */
  CostTable(Path directory) {
    this.directory = directory;
    pipeline = DiffusionPipeline.fromPretrained(EngineConfig.of(directory).model());
  }

  @Override
  public void close() {
    pipeline.close();
  }

  /** All that is compared, in order of the page. */
  static final List<Method> METHODS =
      List.of(
          new Method("one rank", "fresh", SERIAL, new Cost(0, 1, 2, 2), "0", "P", "2 A", "2 A"),
          new Method(
              "tensor",
              "fresh",
              SERIAL.toBuilder().tensorDegree(RANKS).build(),
              new Cost(2 * (N - 1) / N * 3 * L, 1 / N, 2 / N, 2 / N),
              "2 (N − 1) / N · 3 L · A",
              "P / N",
              "2 A / N",
              "2 A / N"),
          new Method(
              "ring",
              "fresh",
              SERIAL.toBuilder().ringDegree(RANKS).build(),
              new Cost(2 * (N - 1) / N * L, 1, 2 / N, 2 / N),
              "2 (N − 1) / N · L · A",
              "P",
              "2 A / N",
              "2 A / N"),
          new Method(
              "Ulysses",
              "fresh",
              SERIAL.toBuilder().ulyssesDegree(RANKS).build(),
              new Cost(4 * (N - 1) / (N * N) * L, 1, 2 / N, 2 / N),
              "4 (N − 1) / N² · L · A",
              "P",
              "2 A / N",
              "2 A / N"),
          new Method(
              "USP, U = 2, R = 2",
              "fresh",
              SERIAL.toBuilder().ulyssesDegree(2).ringDegree(2).build(),
              new Cost(1 / N * (4 * 0.5 + 2) * L, 1, 2 / N, 2 / N),
              "[4 (U − 1) / U + 2 (R − 1)] / N · L · A",
              "P",
              "2 A / N",
              "2 A / N"),
          new Method(
              "PipeFusion, M = N",
              "stale but for the patches before",
              SERIAL.toBuilder().pipefusionDegree(RANKS).build(),
              new Cost(1, 1 / N, 2 / N, 2 * L / N),
              "A",
              "P / N",
              "2 A / M",
              "2 L · A / N"),
          new Method(
              "DistriFusion",
              "stale but for the own patch",
              SERIAL.toBuilder().distrifusionDegree(RANKS).build(),
              new Cost(2 * (N - 1) / N * L * (STEPS - 1) / STEPS, 1, 2 / N, 2 * L),
              "2 (N − 1) / N · L · A · (S − 1) / S",
              "P",
              "2 A / N",
              "2 L · A"));

  /**
   * What a method costs a rank.
   *
   * @param sent in a step, in A
   * @param parameters of all blocks' bytes, which part
   * @param queries queries and outputs of an attention, in A
   * @param keys keys and values, of an attention or kept, in A
   */
  record Cost(double sent, double parameters, double queries, double keys) {}

  /** A line of the table: what is run, what is expected of it, and the formulas of that. */
  record Method(
      String name,
      String attention,
      ParallelConfig degrees,
      Cost expected,
      String sent,
      String parameters,
      String queries,
      String keys) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** The most that a rank of {@code method} costs. */
  Cost counted(Method method) {
    int stages = method.degrees().pipefusionDegree();
    List<RankReport> ranks =
        stages > 1 ? pipefusion(stages) : run(method.degrees(), OutputType.LATENT);
    double blocks = blockBytes(ranks, method.degrees());
    return new Cost(
        most(ranks, rank -> sentBytes(rank) / STEPS / A),
        blocks,
        most(ranks, rank -> rank.attentionBytes() / 2.0 / A),
        most(
            ranks,
            rank -> Math.max(rank.attentionBytes() / 2.0, (double) rank.kvBufferBytes()) / A));
  }

  /** Bytes that all ranks send in all steps with Ulysses, by those with PipeFusion, forward. */
  double ulyssesByPipeFusion(int ranks) {
    long ulysses =
        run(SERIAL.toBuilder().ulyssesDegree(ranks).build(), OutputType.LATENT).stream()
            .mapToLong(rank -> sent(rank, "ulysses"))
            .sum();
    long pipefusion =
        pipefusion(ranks).stream()
            .limit(ranks - 1L) // the last stage sends latents back
            .mapToLong(rank -> sent(rank, "pipefusion"))
            .sum();
    return (double) ulysses / pipefusion;
  }

  /** Bytes that the ranks send to decode one picture in strips, in their order. */
  List<Long> decoding(int ranks) {
    // one prompt's latents are on the last stage, whose rank has the first strip
    List<RankReport> reports = pipefusion(ranks);
    return IntStream.range(0, ranks)
        .mapToObj(strip -> sent(reports.get(strip == 0 ? ranks - 1 : strip - 1), "vae"))
        .toList();
  }

  /** The formulas of {@link #decoding}. */
  VaeCosts decodingCosts() {
    InputConfig input = DeepPixArt.input();
    int side = Objects.requireNonNull(input.height());
    AutoencoderKlConfig config =
        AutoencoderKlConfig.from(ComponentConfig.read(directory.resolve("vae/config.json")));
    return new VaeCosts(config, 1, side / config.scale(), side / config.scale());
  }

  /** What is sent to decode is counted by itself, so one run is for both. */
  private List<RankReport> pipefusion(int ranks) {
    return run(SERIAL.toBuilder().pipefusionDegree(ranks).build(), OutputType.PT);
  }

  private record Run(ParallelConfig degrees, OutputType type) {}

  private List<RankReport> run(ParallelConfig degrees, OutputType type) {
    return reports.computeIfAbsent(new Run(degrees, type), this::reported);
  }

  private List<RankReport> reported(Run run) {
    EngineConfig engine =
        EngineConfig.builder(directory)
            .parallel(run.degrees())
            .runtime(r -> r.warmupSteps(0))
            .build();
    EngineConfig shared = engine.toBuilder().runtime(r -> r.useParallelVae(true)).build();
    InputConfig input =
        DeepPixArt.input().toBuilder().numInferenceSteps(STEPS).outputType(run.type()).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, shared);
        Generation generation = ranks.generate(input)) {
      return generation.report().ranks();
    }
  }

  private static double most(List<RankReport> ranks, ToDoubleFunction<RankReport> cost) {
    return ranks.stream().mapToDouble(cost).max().orElseThrow();
  }

  /** Of what methods send while denoising, without prompts, latents and reports. */
  private static double sentBytes(RankReport rank) {
    return rank.sentBytes().entrySet().stream()
        .filter(sent -> !List.of("text", "vae", "world").contains(sent.getKey()))
        .mapToLong(Map.Entry::getValue)
        .sum();
  }

  private static long sent(RankReport rank, String channel) {
    return Objects.requireNonNull(rank.sentBytes().get(channel));
  }

  /**
   * Of all blocks' bytes the most that a rank has, which has other parts of the transformer too.
   */
  private double blockBytes(List<RankReport> ranks, ParallelConfig degrees) {
    TransformerSpec<?> spec = pipeline.model().transformer(Placement.CPU);
    double all =
        IntStream.range(0, spec.depth())
            .mapToLong(block -> ExpectedCosts.bytes(spec, block, Share.WHOLE))
            .sum();
    long everywhere = spec.conditioner().parameterBytes();
    int last = ranks.size() - ranks.size() / degrees.pipefusionDegree();
    int second = ranks.size() / degrees.pipefusionDegree();
    return most(
        ranks,
        rank ->
            (rank.parameterBytes()
                    - everywhere
                    - (rank.rank() < second ? spec.embedding().parameterBytes() : 0)
                    - (rank.rank() >= last ? spec.head().parameterBytes() : 0))
                / all);
  }

  /** Takes the file to write. */
  public static void main(String[] arguments) throws IOException {
    Torch.prepareThread(1);
    Path directory = DeepPixArt.write(Files.createTempDirectory("cost"));
    try (CostTable table = new CostTable(directory)) {
      Files.writeString(Path.of(arguments[0]), new CostPage(table).text());
    }
    DirectoryCopy.delete(directory);
  }
}
