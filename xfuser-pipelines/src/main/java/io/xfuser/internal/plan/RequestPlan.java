package io.xfuser.internal.plan;

import ai.djl.Device;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.Settings.Compression;
import io.xfuser.config.Settings.Schedule;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.parallel.DeviceMesh;
import io.xfuser.internal.parallel.MeshAxis;
import io.xfuser.internal.weights.Lora;
import io.xfuser.model.GenerationRequest;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.TransformerSpec;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Who does what in one request: which ranks denoise what, and which of them, or which others that
 * do nothing else, turn latents into pixels.
 *
 * @param engine what all ranks were told
 * @param request what is generated
 * @param denoising the ranks of the transformer; those after them only decode
 * @param loras what is added to the model's weights
 * @param residentRatio which part of the blocks stays in memory, of those that are read ahead
 */
public record RequestPlan(
    EngineConfig engine,
    GenerationRequest request,
    List<RankPlan> denoising,
    List<Lora> loras,
    double residentRatio) {
  /**
   * Plans before any rank starts.
   *
   * @throws IllegalArgumentException if the degrees do not fit the model or the request, with the
   *     numbers
   */
  public static RequestPlan of(
      EngineConfig engine, TransformerSpec<?> spec, GenerationRequest request) {
    refuseSelection(engine, spec, request);
    return new RequestPlan(
        engine,
        request,
        IntStream.range(0, engine.parallel().ditParallelSize())
            .mapToObj(rank -> RankPlan.of(rank, engine, spec, request))
            .toList(),
        List.of(),
        engine.runtime().residency().ratio());
  }

  private static void refuseSelection(
      EngineConfig engine, TransformerSpec<?> spec, GenerationRequest request) {
    ParallelConfig degrees = engine.parallel();
    boolean selects = degrees.selectiveV() > 0;
    boolean compact = degrees.compactCompressType() != Compression.NONE;
    if (!selects && !compact) {
      return;
    }
    String what =
        selects ? ParallelConfig.SELECTIVE_V.name() : ParallelConfig.COMPACT_COMPRESS_TYPE.name();
    String without = null;
    if (selects && degrees.distrifusionPatches() > 1) {
      without = "DistriFusion";
    } else if (degrees.distrifusionPatches() > degrees.distrifusionDegree()) {
      without = "patches of DistriFusion on one rank, which sends none";
    } else if (compact
        && degrees.patches() > 1
        && engine.runtime().warmupSteps() < request.calls()) {
      what = ParallelConfig.COMPACT_COMPRESS_TYPE.name();
      without = "patches of PipeFusion, which send them as they are";
    } else if (selects && request.input().cache() != StepCache.NONE) {
      without = InputConfig.CACHE.with(request.input().cache());
    } else if (!request.guidance().layers().blocks().isEmpty()) {
      without = "skip_guidance_layers";
    }
    if (without != null) {
      throw new ArgumentException(what + " cannot be had with " + without);
    }
    if (IntStream.range(0, spec.depth()).allMatch(block -> spec.attentions(block) == 0)) {
      throw new ArgumentException(
          what + " is about self-attention, which this transformer has none of");
    }
  }

  public RequestPlan with(List<Lora> other) {
    return new RequestPlan(engine, request, denoising, other, residentRatio);
  }

  /** The same with another part of the blocks in memory. */
  public RequestPlan withResident(double ratio) {
    return new RequestPlan(engine, request, denoising, loras, ratio);
  }

  /** The same for what is left after {@code step} steps that other ranks took. */
  public RequestPlan from(int step) {
    List<RankPlan> left = denoising.stream().map(rank -> rank.from(step)).toList();
    return new RequestPlan(engine, request, left, loras, residentRatio);
  }

  /** The first step to take. */
  public int from() {
    return denoising.get(0).from();
  }

  public int steps() {
    return request.calls();
  }

  /** Who does what, a line for each rank, where {@code devices} say that it computes. */
  public List<String> describe(TransformerSpec<?> spec, IntFunction<Device> devices) {
    Stream<String> ranks =
        IntStream.range(0, engine.parallel().worldSize())
            .mapToObj(
                rank ->
                    rank < denoising.size()
                        ? new RankLine(denoising.get(rank)).line(spec, devices.apply(rank))
                        : describeDecoding(rank, devices.apply(rank)));
    boolean nothing =
        engine.parallel().ulyssesSchedule() == Schedule.V_FIRST && !spec.valuesFirst();
    return Stream.concat(
            ranks,
            nothing
                ? Stream.of(
                    "values go with queries and keys, which this transformer has ready when it has"
                        + " values")
                : Stream.of())
        .toList();
  }

  private String describeDecoding(int rank, Device device) {
    List<Integer> together = decoders(rank);
    return "rank %d on %s: %s"
        .formatted(
            rank,
            Torch.name(device),
            together.contains(rank)
                ? "decodes, strip %d of %d".formatted(together.indexOf(rank) + 1, together.size())
                : "idle, because %d rows of latents are too few".formatted(most()));
  }

  private DeviceMesh mesh() {
    return denoising.get(0).mesh();
  }

  /** The ranks that only decode; empty where ranks of the transformer decode. */
  public List<Integer> vaeRanks() {
    return IntStream.range(denoising.size(), engine.parallel().worldSize()).boxed().toList();
  }

  /**
   * The rank that brings the latents of {@code rank}'s pictures together: the first of the last
   * stage, since those that share blocks or prompts have the same latents.
   */
  public int source(int rank) {
    return mesh().replica(rank).stream().filter(this::isSource).findFirst().orElseThrow();
  }

  /** Those ranks, in order of their pictures. */
  public List<Integer> sources() {
    return IntStream.range(0, denoising.size()).filter(this::isSource).boxed().toList();
  }

  private boolean isSource(int rank) {
    return isSource(mesh(), rank);
  }

  /** Whether {@code rank} brings latents together. */
  public static boolean isSource(DeviceMesh mesh, int rank) {
    return Stream.of(MeshAxis.values())
        .filter(axis -> axis != MeshAxis.DATA)
        .allMatch(
            axis ->
                mesh.coordinate(rank, axis)
                    == (axis == MeshAxis.PIPELINE ? mesh.degree(axis) - 1 : 0));
  }

  /**
   * The ranks that decode what {@code rank} decodes, or what it has the latents of; the first leads
   * and gets the pixels. It is the one with the latents, unless there are ranks of the VAE alone.
   */
  public List<Integer> decoders(int rank) {
    List<Integer> all = vaeRanks().isEmpty() ? replica(rank) : vaeRanks();
    return all.subList(0, Math.min(all.size(), most()));
  }

  /** As many ranks as can share a picture, so that each has at least one row of latents. */
  private int most() {
    boolean shared = engine.runtime().useParallelVae() || !vaeRanks().isEmpty();
    return shared ? request.latents().height() : 1;
  }

  private List<Integer> replica(int rank) {
    int source = source(rank);
    return Stream.concat(
            Stream.of(source), mesh().replica(rank).stream().filter(other -> other != source))
        .toList();
  }
}
