package io.xfuser.internal.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DeviceMeshTest {
  /** The example of xDiT's documentation: 16 ranks. */
  @Test
  void groupsOfSixteenRanksAreThoseOfXdit() {
    DeviceMesh mesh =
        new DeviceMesh(
            Map.of(MeshAxis.DATA, 2, MeshAxis.CFG, 2, MeshAxis.PIPELINE, 2, MeshAxis.ULYSSES, 2));
    assertThat(mesh.size()).isEqualTo(16);
    assertThat(mesh.ranksAlong(0, MeshAxis.ULYSSES)).containsExactly(0, 1);
    assertThat(mesh.ranksAlong(0, MeshAxis.PIPELINE)).containsExactly(0, 2);
    assertThat(mesh.ranksAlong(0, MeshAxis.CFG)).containsExactly(0, 4);
    assertThat(mesh.ranksAlong(0, MeshAxis.DATA)).containsExactly(0, 8);
    assertThat(mesh.ranksAlong(13, MeshAxis.PIPELINE)).containsExactly(13, 15);
    assertThat(mesh.ranksAlong(13, MeshAxis.RING)).containsExactly(13);
    assertThat(mesh.replica(13)).containsExactly(8, 9, 10, 11, 12, 13, 14, 15);
  }

  static Stream<DeviceMesh> meshes() {
    return Stream.of(
        new DeviceMesh(Map.of()),
        new DeviceMesh(Map.of(MeshAxis.TENSOR, 3, MeshAxis.RING, 2)),
        new DeviceMesh(Map.of(MeshAxis.ULYSSES, 2, MeshAxis.RING, 3, MeshAxis.CFG, 2)),
        new DeviceMesh(Map.of(MeshAxis.RING, 2, MeshAxis.DISTRIFUSION, 3, MeshAxis.CFG, 2)),
        new DeviceMesh(
            Map.of(
                MeshAxis.TENSOR,
                2,
                MeshAxis.ULYSSES,
                3,
                MeshAxis.RING,
                2,
                MeshAxis.PIPELINE,
                4,
                MeshAxis.CFG,
                2,
                MeshAxis.DATA,
                3)));
  }

  @ParameterizedTest
  @MethodSource("meshes")
  void aRankIsTheSumOfItsCoordinatesInTheOrderOfTheAxes(DeviceMesh mesh) {
    for (int rank = 0; rank < mesh.size(); rank++) {
      int composed = 0;
      List<MeshAxis> outermostFirst =
          List.of(
              MeshAxis.DATA,
              MeshAxis.CFG,
              MeshAxis.PIPELINE,
              MeshAxis.DISTRIFUSION,
              MeshAxis.RING,
              MeshAxis.ULYSSES,
              MeshAxis.TENSOR);
      for (MeshAxis axis : outermostFirst) {
        composed = composed * mesh.degree(axis) + mesh.coordinate(rank, axis);
      }
      assertThat(composed).isEqualTo(rank);
    }
  }

  @ParameterizedTest
  @MethodSource("meshes")
  void theGroupsAlongAnAxisPartitionTheRanksAndDifferInItsCoordinateOnly(DeviceMesh mesh) {
    for (MeshAxis axis : MeshAxis.values()) {
      Set<List<Integer>> groups = new HashSet<>();
      for (int rank = 0; rank < mesh.size(); rank++) {
        List<Integer> group = mesh.ranksAlong(rank, axis);
        assertThat(group).hasSize(mesh.degree(axis)).contains(rank);
        assertThat(group.get(mesh.coordinate(rank, axis))).isEqualTo(rank);
        groups.add(group);
        Map<MeshAxis, Integer> own = mesh.coordinates(rank);
        for (int member : group) {
          Map<MeshAxis, Integer> its = mesh.coordinates(member);
          its.put(axis, mesh.coordinate(rank, axis));
          assertThat(its).isEqualTo(own);
        }
      }
      assertThat(groups.stream().flatMap(List::stream))
          .containsExactlyInAnyOrderElementsOf(IntStream.range(0, mesh.size()).boxed().toList());
    }
  }

  @ParameterizedTest
  @MethodSource("meshes")
  void aReplicaHasAllRanksOfOneDataCoordinate(DeviceMesh mesh) {
    for (int rank = 0; rank < mesh.size(); rank++) {
      int data = mesh.coordinate(rank, MeshAxis.DATA);
      assertThat(mesh.replica(rank))
          .isEqualTo(
              IntStream.range(0, mesh.size())
                  .filter(other -> mesh.coordinate(other, MeshAxis.DATA) == data)
                  .boxed()
                  .toList());
    }
  }

  @Test
  void degreesBelowOneAreRejected() {
    assertThatThrownBy(() -> new DeviceMesh(Map.of(MeshAxis.RING, 0)))
        .hasMessage("the RING degree must be at least 1, not 0");
  }
}
