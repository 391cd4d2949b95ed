package io.xfuser.models.contract;

import io.xfuser.config.ParallelConfig;
import io.xfuser.internal.parallel.DeviceMesh;
import io.xfuser.internal.parallel.MeshAxis;
import java.util.EnumMap;
import java.util.Map;

/**
 * How T tokens of joint text, or of a picture that is attended as text is, are shared out: rank i
 * of the N that compute the picture's first patch has those from ⌊T·i / N⌋ to ⌊T·(i + 1) / N⌋, with
 * i its place on the ring times U, plus that in its Ulysses group. The other patches of
 * DistriFusion are without.
 */
record ExpectedText(long tokens, ParallelConfig degrees, DeviceMesh mesh) {
  /** The ranks of {@code degrees}. */
  static DeviceMesh mesh(ParallelConfig degrees) {
    Map<MeshAxis, Integer> along = new EnumMap<>(MeshAxis.class);
    for (MeshAxis axis : MeshAxis.values()) {
      along.put(
          axis,
          switch (axis) {
            case TENSOR -> degrees.tensorDegree();
            case ULYSSES -> degrees.ulyssesDegree();
            case RING -> degrees.ringDegree();
            case DISTRIFUSION -> degrees.distrifusionDegree();
            case PIPELINE -> degrees.pipefusionDegree();
            case CFG -> degrees.cfgDegree();
            case DATA -> degrees.dataDegree();
          });
    }
    return new DeviceMesh(along);
  }

  /** T where the picture's first patch is computed, else 0. */
  long all(int rank) {
    return mesh.coordinate(rank, MeshAxis.DISTRIFUSION) == 0 ? tokens : 0;
  }

  /** t of this rank. */
  long own(int rank) {
    int ulysses = degrees.ulyssesDegree();
    int place =
        mesh.coordinate(rank, MeshAxis.RING) * ulysses + mesh.coordinate(rank, MeshAxis.ULYSSES);
    return between(rank, place, place + 1);
  }

  /** What the Ulysses group has that is {@code ring} on the ring. */
  long ofGroup(int rank, int ring) {
    int ulysses = degrees.ulyssesDegree();
    return between(rank, ring * ulysses, (ring + 1) * ulysses);
  }

  private long between(int rank, int from, int to) {
    long ranks = (long) degrees.ulyssesDegree() * degrees.ringDegree();
    return all(rank) * to / ranks - all(rank) * from / ranks;
  }
}
