package io.xfuser.internal.parallel;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * All ranks as a grid over seven axes: {@code rank = tp + TP·(u + U·(r + R·(df + DF·(pp + PP·(cfg +
 * CFG·dp)))))}, the order of xDiT's process groups. DistriFusion (df) and PipeFusion (pp) exclude
 * one another, so one of them has degree 1 and the other its place.
 */
public final class DeviceMesh {
  private final Map<MeshAxis, Integer> degrees = new EnumMap<>(MeshAxis.class);
  private final Map<MeshAxis, Integer> strides = new EnumMap<>(MeshAxis.class);
  private final int size;

  /**
   * A mesh of the given degrees; an axis that is left out has degree 1.
   *
   * @throws IllegalArgumentException if a degree is below 1
   */
  public DeviceMesh(Map<MeshAxis, Integer> degrees) {
    int product = 1;
    for (MeshAxis axis : MeshAxis.values()) { // innermost first
      int degree = degrees.getOrDefault(axis, 1);
      if (degree < 1) {
        throw new IllegalArgumentException(
            "the " + axis + " degree must be at least 1, not " + degree);
      }
      this.degrees.put(axis, degree);
      strides.put(axis, product);
      product = Math.multiplyExact(product, degree);
    }
    this.size = product;
  }

  /** Ranks along {@code axis}. */
  public int degree(MeshAxis axis) {
    return Objects.requireNonNull(degrees.get(axis));
  }

  /** The number of ranks: the product of the degrees. */
  public int size() {
    return size;
  }

  /** The position of {@code rank} along {@code axis}. */
  public int coordinate(int rank, MeshAxis axis) {
    return rank / stride(axis) % degree(axis);
  }

  /**
   * The ranks that differ from {@code rank} along {@code axis} only, in order of their coordinate.
   */
  public List<Integer> ranksAlong(int rank, MeshAxis axis) {
    int first = rank - coordinate(rank, axis) * stride(axis);
    List<Integer> ranks = new ArrayList<>();
    for (int i = 0; i < degree(axis); i++) {
      ranks.add(first + i * stride(axis));
    }
    return ranks;
  }

  /**
   * The ranks that make the same pictures as {@code rank}: those with its coordinate on the data
   * axis.
   */
  public List<Integer> replica(int rank) {
    int perReplica = stride(MeshAxis.DATA);
    List<Integer> ranks = new ArrayList<>();
    for (int i = 0; i < perReplica; i++) {
      ranks.add(rank / perReplica * perReplica + i);
    }
    return ranks;
  }

  public Map<MeshAxis, Integer> coordinates(int rank) {
    Map<MeshAxis, Integer> all = new EnumMap<>(MeshAxis.class);
    for (MeshAxis axis : MeshAxis.values()) {
      all.put(axis, coordinate(rank, axis));
    }
    return all;
  }

  private int stride(MeshAxis axis) {
    return Objects.requireNonNull(strides.get(axis));
  }
}
