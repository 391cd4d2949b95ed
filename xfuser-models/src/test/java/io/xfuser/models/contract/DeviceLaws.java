package io.xfuser.models.contract;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.model.GivenTensors;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Holds all tiny pipelines to the laws on one device, shared by 1 to 8 ranks of this JVM, and adds
 * rows to the page of {@code scripts/gpu-check}. In fp32 differences are held to the laws; in half
 * precision, where other orders of summing show, the parallel picture may be no farther from the
 * fp32 picture than the serial one is, but for {@value #MARGIN_DB} dB.
 */
final class DeviceLaws {
  private static final double FROM_DIFFUSERS = 1e-3;
  private static final double FROM_ONE_RANK = 1e-4;
  private static final double MARGIN_DB = 3;
  private static final int PATCHES = 3;
  private static final ParallelConfig SERIAL = ParallelConfig.serial();
  private static final List<ElementType> HALVES =
      List.of(ElementType.FLOAT16, ElementType.BFLOAT16);

  private final String device;
  private final NDManager manager;
  private int broken;
  private GivenTensors given = GivenTensors.NONE;

  private DeviceLaws(String device, NDManager manager) {
    this.device = device;
    this.manager = manager;
  }

  /** Takes the device, and names of pipelines, or none for all. */
  public static void main(String[] arguments) throws IOException {
    Torch.prepareThread(1);
    List<String> pipelines =
        arguments.length > 1
            ? List.of(arguments).subList(1, arguments.length)
            : ParityTable.pipelines();
    DeviceTests.say("note", note());
    int broken = 0;
    for (String pipeline : pipelines) {
      try (NDManager manager = Torch.newManager()) {
        DeviceLaws laws = new DeviceLaws(arguments[0], manager);
        DeviceTests.say("row", laws.row(pipeline));
        broken += laws.broken;
      }
    }
    DeviceTests.say(
        "decides",
        broken == 0
            ? "the laws hold on %s, for %s".formatted(arguments[0], String.join(", ", pipelines))
            : "**%d laws are broken on %s**".formatted(broken, arguments[0]));
    System.exit(broken == 0 ? 0 : 1);
  }

  /** Those of the parity table, and eight ranks. */
  static Map<String, ParallelConfig> fresh() {
    Map<String, ParallelConfig> all = new LinkedHashMap<>(ParityTable.SYNCHRONOUS);
    all.put("Ulysses 4 × ring 2", SERIAL.toBuilder().ulyssesDegree(4).ringDegree(2).build());
    all.put(
        "tensor 2 × Ulysses 2 × ring 2",
        SERIAL.toBuilder().tensorDegree(2).ulyssesDegree(2).ringDegree(2).build());
    all.put(
        "CFG 2 × Ulysses 2 × ring 2",
        SERIAL.toBuilder().cfgDegree(2).ulyssesDegree(2).ringDegree(2).build());
    return all;
  }

  /** Those of the parity table, and eight ranks. */
  static Map<String, ParallelConfig> stale() {
    Map<String, ParallelConfig> all = new LinkedHashMap<>(ParityTable.PIPEFUSION);
    all.put(
        "2 stages × Ulysses 2 × ring 2, M = 3",
        SERIAL.toBuilder()
            .pipefusionDegree(2)
            .ulyssesDegree(2)
            .ringDegree(2)
            .numPipelinePatch(PATCHES)
            .build());
    return all;
  }

  private Map<String, String> row(String pipeline) throws IOException {
    List<DiffusersCall> calls = DiffusersCall.of(pipeline);
    double most = 0;
    for (DiffusersCall call : calls) {
      if (call.type() == ElementType.FLOAT32) {
        NDArray whole = draw(call, ElementType.FLOAT32, SERIAL);
        most =
            Math.max(
                most,
                Pixels.largestDifference(call.strided(whole), call.reference(manager, "pixels")));
      }
    }
    DiffusersCall call = ParityTable.mostVaried(calls);
    NDArray serial = draw(call, ElementType.FLOAT32, SERIAL);
    NDArray patches =
        draw(call, ElementType.FLOAT32, SERIAL.toBuilder().numPipelinePatch(PATCHES).build());
    Map<String, String> cells = new LinkedHashMap<>();
    cells.put("pipeline", "`" + pipeline + "`");
    cells.put("diffusers", held(most, FROM_DIFFUSERS));
    cells.put("fresh", worst(call, fresh(), serial));
    cells.put("M = 3", worst(call, stale(), patches));
    // noise differs with the type it is drawn in, so all types start from the same latents
    NDArray latents = draw(call.input().toBuilder().outputType(OutputType.LATENT).build(), call);
    double size = Math.sqrt(latents.square().mean().getFloat());
    given = new GivenTensors(latents.div(size), Map.of());
    for (ElementType half : HALVES) {
      cells.put(half.torchName() + ", fresh", fidelity(call, half, SERIAL, fresh()));
      cells.put(
          half.torchName() + ", M = 3",
          fidelity(call, half, SERIAL.toBuilder().numPipelinePatch(PATCHES).build(), stale()));
    }
    return cells;
  }

  /** The largest difference over all layouts in fp32, and in which. */
  private String worst(DiffusersCall call, Map<String, ParallelConfig> layouts, NDArray reference) {
    double most = 0;
    String where = "all";
    for (Map.Entry<String, ParallelConfig> layout : layouts.entrySet()) {
      Optional<NDArray> drawn = drawShared(call, ElementType.FLOAT32, layout.getValue());
      double found = drawn.isEmpty() ? 0 : Pixels.largestDifference(drawn.get(), reference);
      where = found > most ? layout.getKey() : where;
      most = Math.max(most, found);
    }
    return held(most, FROM_ONE_RANK) + " (" + where + ")";
  }

  /** How near half precision comes to fp32 on one rank, and at worst in a layout. */
  private String fidelity(
      DiffusersCall call,
      ElementType half,
      ParallelConfig one,
      Map<String, ParallelConfig> layouts) {
    NDArray exact = draw(call, ElementType.FLOAT32, one);
    double serial = Pixels.psnr(draw(call, half, one), exact);
    double least = Double.POSITIVE_INFINITY;
    for (ParallelConfig layout : layouts.values()) {
      Optional<NDArray> drawn = drawShared(call, half, layout);
      least = drawn.isEmpty() ? least : Math.min(least, Pixels.psnr(drawn.get(), exact));
    }
    boolean holds = least >= serial - MARGIN_DB;
    broken += holds ? 0 : 1;
    return String.format(Locale.ROOT, holds ? "%.1f, %.1f" : "**%.1f, %.1f**", serial, least);
  }

  /** Nothing where there is nothing to share out: one picture alone, or no guidance. */
  private Optional<NDArray> drawShared(
      DiffusersCall call, ElementType type, ParallelConfig layout) {
    try {
      return Optional.of(draw(call, type, layout));
    } catch (IllegalArgumentException refused) {
      return Optional.empty();
    }
  }

  private NDArray draw(InputConfig input, DiffusersCall call) {
    return draw(EngineConfig.of(call.directory()), input, ElementType.FLOAT32);
  }

  private NDArray draw(DiffusersCall call, ElementType type, ParallelConfig layout) {
    return draw(
        EngineConfig.builder(call.directory()).parallel(layout).build(), call.input(), type);
  }

  private NDArray draw(EngineConfig engine, InputConfig input, ElementType type) {
    EngineConfig there = engine.toBuilder().runtime(r -> r.dtype(type).device(device)).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(there);
        Generation generation = ranks.generate(input, given, ProgressListener.NONE)) {
      return Torch.copy(manager, generation.tensor());
    }
  }

  private String held(double difference, double law) {
    broken += difference <= law ? 0 : 1;
    return String.format(Locale.ROOT, difference <= law ? "%.0e" : "**%.0e**", difference);
  }

  private static String note() {
    return ("Tiny pipelines with random weights, shared by 1 to 8 ranks. A broken law is bold."
            + " **diffusers**: largest difference of pixels between 0 and 1, fp32, of our serial"
            + " picture from diffusers' on the CPU, at most 1e-3. **fresh**: of %d layouts of 2 to"
            + " 8 ranks from one rank, the worst and which, at most 1e-4. **M = 3**: of %d layouts"
            + " with PipeFusion's patches from one rank with the same patches, at most 1e-4."
            + " **float16, bfloat16**: PSNR in dB from the fp32 picture of one rank that starts"
            + " from the same latents, of one rank and of the worst layout, at most %.0f dB less.")
        .formatted(fresh().size(), stale().size(), MARGIN_DB);
  }
}
