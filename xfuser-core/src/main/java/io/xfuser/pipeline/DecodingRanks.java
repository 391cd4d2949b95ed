package io.xfuser.pipeline;

import ai.djl.Device;
import io.xfuser.config.EngineConfig;
import io.xfuser.parallel.DeviceMesh;
import io.xfuser.parallel.MeshAxis;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Which ranks turn latents into pixels: those that made them, or others that do nothing else.
 *
 * @param mesh the ranks of the transformer
 * @param alone the ranks of the VAE alone; empty where ranks of the transformer decode
 * @param most as many ranks as can share a picture
 */
record DecodingRanks(DeviceMesh mesh, List<Integer> alone, int most) {
  /** For one request. Each rank that takes part has at least one row of latents. */
  static DecodingRanks of(EngineConfig engine, GenerationRequest request) {
    DeviceMesh mesh = RankPlan.mesh(engine.parallel());
    int all = engine.parallel().worldSize();
    boolean shared = engine.runtime().useParallelVae() || all > mesh.size();
    return new DecodingRanks(
        mesh,
        IntStream.range(mesh.size(), all).boxed().toList(),
        shared ? request.latents().height() : 1);
  }

  /**
   * The rank that brings the latents of {@code rank}'s pictures together: the first of the last
   * stage, since those that share blocks or prompts have the same latents.
   */
  int source(int rank) {
    return mesh.replica(rank).stream().filter(this::isSource).findFirst().orElseThrow();
  }

  /** Those ranks, in order of their pictures. */
  List<Integer> sources() {
    return IntStream.range(0, mesh.size()).filter(this::isSource).boxed().toList();
  }

  private boolean isSource(int rank) {
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
  List<Integer> decoders(int rank) {
    List<Integer> all = alone.isEmpty() ? replica(rank) : alone;
    return all.subList(0, Math.min(all.size(), most));
  }

  /** What one of the ranks of the VAE alone does, in one line for a person. */
  String describe(int rank, Device device) {
    List<Integer> together = decoders(rank);
    return "rank %d on %s: %s"
        .formatted(
            rank,
            Torch.name(device),
            together.contains(rank)
                ? "decodes, strip %d of %d".formatted(together.indexOf(rank) + 1, together.size())
                : "idle, because %d rows of latents are too few".formatted(most));
  }

  private List<Integer> replica(int rank) {
    int source = source(rank);
    return Stream.concat(
            Stream.of(source), mesh.replica(rank).stream().filter(other -> other != source))
        .toList();
  }
}
