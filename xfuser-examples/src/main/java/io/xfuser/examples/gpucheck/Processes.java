package io.xfuser.examples.gpucheck;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.cli.XDiT;
import io.xfuser.cli.launch.LaunchPlan;
import io.xfuser.cli.launch.LaunchTopology;
import io.xfuser.cli.launch.Launcher;
import io.xfuser.cli.quality.Fidelity;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.device.Gpus;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * As many ranks as GPUs, a JVM each, connected by NCCL: their pictures against those of one rank.
 * On CPUs two ranks, connected by sockets.
 */
@Command(
    name = "processes",
    mixinStandardHelpOptions = true,
    description = "A rank for each GPU in a JVM of its own, against one rank.")
final class Processes implements Callable<Integer> {
  private static final int CPU_RANKS = 2;

  private static final int STEPS = 4;

  /** What the tiny model can be shared out to. */
  private static final int MOST_HEADS = 4;

  private static final int MOST_BLOCKS = 8;

  /** Of 255: what rounding to 8 bits may make of a difference within the laws. */
  private static final double ONE_STEP = 1.01 / 255;

  @Mixin private Part part = new Part();

  private final Findings findings = Findings.told();

  /** What was drawn, and how long a step took. */
  private record ProcessRun(BufferedImage picture, double stepSeconds) {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    GpuCheck.requireGpu(part);
    int ranks = part.isCuda() ? Gpus.found().count() : CPU_RANKS;
    if (ranks < 2) {
      findings.note("Left out: NCCL has nothing to connect on a machine with one GPU.");
      return 0;
    }
    if (part.isCuda() && Machine.nccl().isEmpty()) {
      throw new ArgumentException(
          "NCCL cannot be loaded; it needs org.bytedeco:cuda-platform and libnccl.so.2");
    }
    String connected = part.isCuda() ? "NCCL" : "sockets";
    findings.note(
        "%s ranks, a JVM each, connected by %s, against one rank with as many patches. Law: no"
            + " value of 8 bits differs by more than one.",
        ranks, connected);
    boolean all = compareAll(ranks);
    findings.decides(
        all ? "%s ranks connected by %s draw what one draws" : "**%s ranks by %s draw another**",
        ranks,
        connected);
    return all ? 0 : 1;
  }

  private boolean compareAll(int ranks) throws IOException, InterruptedException {
    Map<Integer, ProcessRun> ofOneRank = new HashMap<>(); // by patches
    boolean all = true;
    List<ParallelConfig> layouts = layouts(ranks);
    for (ParallelConfig layout : part.isCuda() ? layouts : layouts.subList(0, 1)) {
      int patches = layout.patches();
      if (!ofOneRank.containsKey(patches)) {
        ofOneRank.put(patches, draw(ParallelConfig.builder().numPipelinePatch(patches).build()));
      }
      ProcessRun one = ofOneRank.get(patches);
      ProcessRun several = draw(layout);
      Fidelity fidelity = Fidelity.of(one.picture(), several.picture());
      boolean holds = fidelity.largestDifference() <= ONE_STEP;
      all &= holds;
      findings.row(
          "layout", layout.label(),
          "largest difference of 255", Math.rint(255 * fidelity.largestDifference()),
          "PSNR, dB", String.format(Locale.ROOT, "%.1f", fidelity.psnr()),
          "s/step", several.stepSeconds(),
          "÷ one rank", several.stepSeconds() / one.stepSeconds(),
          "", holds ? "holds" : "**broken**");
    }
    return all;
  }

  /** Layouts of {@code ranks} ranks in which every axis works that so many can be shared out on. */
  static List<ParallelConfig> layouts(int ranks) {
    ParallelConfig serial = ParallelConfig.serial();
    List<ParallelConfig> all = new ArrayList<>();
    all.add(serial.toBuilder().ringDegree(ranks).build());
    for (int heads = 2; heads <= MOST_HEADS && heads <= ranks; heads++) {
      if (ranks % heads == 0) {
        all.add(serial.toBuilder().ulyssesDegree(heads).ringDegree(ranks / heads).build());
        all.add(serial.toBuilder().tensorDegree(heads).ringDegree(ranks / heads).build());
      }
    }
    IntStream.rangeClosed(2, Math.min(ranks, MOST_BLOCKS))
        .filter(stages -> ranks % stages == 0)
        .forEach(
            stages ->
                all.add(
                    serial.toBuilder()
                        .pipefusionDegree(stages)
                        .numPipelinePatch(8)
                        .ringDegree(ranks / stages)
                        .build()));
    if (ranks % 2 == 0) {
      all.add(serial.toBuilder().cfgDegree(2).ringDegree(ranks / 2).build());
    }
    return all;
  }

  private ProcessRun draw(ParallelConfig layout) throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("gpu-check");
    Path report = folder.resolve("report.json");
    int ranks = layout.worldSize();
    List<String> flags = new ArrayList<>(flags(layout));
    flags.addAll(List.of("--output_directory", folder.toString(), "--report", report.toString()));
    // ranks that share a GPU would not be connected by NCCL
    flags.addAll(List.of("--device", ranks == 1 ? part.setup().shared() : part.setup().device()));
    LaunchPlan plan = new LaunchPlan(XDiT.class.getName(), flags, LaunchTopology.local(ranks));
    int status = new Launcher(System.out, System.err).run(plan);
    if (status != 0) {
      throw new IOException(layout.label() + " ended with exit status " + status);
    }
    JsonNode told = new ObjectMapper().readTree(report.toFile());
    double[] seconds =
        IntStream.range(0, told.get("step_s").size())
            .mapToDouble(step -> told.get("step_s").get(step).asDouble())
            .sorted()
            .toArray();
    try (Stream<Path> files = Files.list(folder)) {
      Path picture =
          files.filter(file -> file.toString().endsWith(".png")).findFirst().orElseThrow();
      return new ProcessRun(ImageIO.read(picture.toFile()), seconds[seconds.length / 2]);
    }
  }

  private List<String> flags(ParallelConfig layout) {
    String model = part.setup().pipeline(Machine.MODEL).toString();
    List<String> flags = new ArrayList<>(List.of("--model", model, "--prompt", "a fox"));
    flags.addAll(List.of("--height", "64", "--width", "64", "--output_type", "pil"));
    flags.addAll(List.of("--guidance_scale", "2.5", "--no_use_resolution_binning"));
    flags.addAll(List.of("--num_inference_steps", Integer.toString(STEPS)));
    flags.addAll(List.of("--num_pipeline_patch", Integer.toString(layout.patches())));
    flags.addAll(List.of("--ulysses_degree", Integer.toString(layout.ulyssesDegree())));
    flags.addAll(List.of("--ring_degree", Integer.toString(layout.ringDegree())));
    flags.addAll(List.of("--tensor_parallel_degree", Integer.toString(layout.tensorDegree())));
    flags.addAll(
        List.of("--pipefusion_parallel_degree", Integer.toString(layout.pipefusionDegree())));
    if (layout.cfgDegree() == 2) {
      flags.add("--use_cfg_parallel");
    }
    return flags;
  }
}
