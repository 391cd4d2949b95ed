package io.xfuser.internal.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator.Split;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What two phases change, and what they leave. */
class TwoLevelsTest {
  private static final int COLUMNS = 3; // of each rank, and one more of the last

  static Stream<Arguments> nodes() {
    return Stream.of(TestRanks.IN_PROCESS, TestRanks.SOCKET, TestRanks.NCCL)
        .flatMap(
            backend ->
                Stream.of(new int[] {2, 2}, new int[] {2, 3}, new int[] {3, 2})
                    .map(sizes -> Arguments.of(backend, sizes[0], sizes[1])));
  }

  @ParameterizedTest
  @MethodSource("nodes")
  void anAllToAllBringsTheSameTensorsInOneMessageToEachOtherNode(
      TestRanks backend, int nodes, int ofANode) throws Exception {
    int size = nodes * ofANode;
    backend.run(
        size,
        world -> {
          TwoLevels ranks = world.onNodes(Channel.ULYSSES, all(size), ofANode);
          Split split = Split.even(1, COLUMNS * size + 1, size);
          try (NDManager scope = Torch.newManager()) {
            NDArray rows = rows(scope, world.rank(), COLUMNS * size + 1);
            NDArray flat = TestRanks.all(world).allToAll(scope, rows, split, 0);
            NDArray found = ranks.allToAll(scope, rows, split, 0);
            assertThat(found.getShape()).isEqualTo(flat.getShape());
            assertThat(found.toFloatArray()).containsExactly(flat.toFloatArray());
            NDArray back = ranks.allToAll(scope, found, byRows(size), 1);
            assertThat(back.toFloatArray()).containsExactly(rows.toFloatArray());
          }
          // there and back; what goes to other nodes is what they need, in any number of phases
          ByteCounter counter = world.counter();
          assertThat(counter.messagesBetweenNodes(Channel.ULYSSES)).isEqualTo(2L * (nodes - 1));
          assertThat(counter.betweenNodes(Channel.ULYSSES))
              .isEqualTo(
                  4 * (away(world.rank(), size, ofANode) + back(world.rank(), size, ofANode)));
          return true;
        });
  }

  /** Rank r has r + 1 rows. */
  private static NDArray rows(NDManager owner, int rank, int columns) {
    return TestRanks.numbers(owner, 1000 * rank, rank + 1, columns);
  }

  private static Split byRows(int size) {
    return new Split(0, IntStream.rangeClosed(1, size).mapToObj(rows -> (long) rows).toList());
  }

  /**
   * What ranks of this rank's place, each with the rows of its node, have for this rank's like on
   * other nodes.
   */
  private static long away(int rank, int size, int ofANode) {
    long rows =
        IntStream.range(0, size).filter(r -> r / ofANode == rank / ofANode).map(r -> r + 1).sum();
    return rows * elsewhere(rank, ofANode, Split.even(1, COLUMNS * size + 1, size).lengths());
  }

  private static long back(int rank, int size, int ofANode) {
    List<Long> columns = Split.even(1, COLUMNS * size + 1, size).lengths();
    long own =
        IntStream.range(0, size)
            .filter(r -> r / ofANode == rank / ofANode)
            .mapToLong(columns::get)
            .sum();
    return own * elsewhere(rank, ofANode, byRows(size).lengths());
  }

  private static long elsewhere(int rank, int ofANode, List<Long> lengths) {
    return IntStream.range(0, lengths.size())
        .filter(r -> r % ofANode == rank % ofANode && r != rank)
        .mapToLong(lengths::get)
        .sum();
  }

  @ParameterizedTest
  @MethodSource("nodes")
  void aShardIsSentToEachOtherNodeOnce(TestRanks backend, int nodes, int ofANode) throws Exception {
    int size = nodes * ofANode;
    backend.run(
        size,
        world -> {
          TwoLevels ranks = world.onNodes(Channel.ULYSSES, all(size), ofANode);
          try (NDManager scope = Torch.newManager()) {
            NDArray shard = rows(scope, world.rank(), 2);
            NDList found = ranks.startAllGather(shard).await(scope);
            NDList flat = TestRanks.all(world).startAllGather(shard).await(scope);
            for (int rank = 0; rank < size; rank++) {
              assertThat(found.get(rank).toFloatArray())
                  .containsExactly(flat.get(rank).toFloatArray());
            }
            // each of the other nodes' ranks would get it from here in one phase
            assertThat(world.counter().betweenNodes(Channel.ULYSSES))
                .isEqualTo((nodes - 1) * 4L * shard.size());
          }
          return true;
        });
  }

  @Test
  void operationsMayBeAwaitedInAnotherOrderThanTheyBegan() throws Exception {
    TestRanks.NCCL.run(
        4,
        world -> {
          TwoLevels ranks = world.onNodes(Channel.ULYSSES, all(4), 2);
          Split split = Split.even(1, 8, 4);
          try (NDManager scope = Torch.newManager()) {
            NDArray one = rows(scope, world.rank(), 8);
            NDArray two = rows(scope, 10 + world.rank(), 8);
            Pending first = ranks.startAllToAll(one, split, 0);
            Pending second = ranks.startAllToAll(two, split, 0);
            Pending third = ranks.startAllGather(one);
            assertSame(scope, second.await(scope), TestRanks.all(world), two);
            assertThat(third.await(scope)).hasSize(4);
            assertSame(scope, first.await(scope), TestRanks.all(world), one);
          }
          return true;
        });
  }

  private static void assertSame(NDManager scope, NDList found, Communicator flat, NDArray x) {
    NDArray expected = flat.allToAll(scope, x, Split.even(1, 8, 4), 0);
    assertThat(Torch.concat(scope, found, 0).toFloatArray())
        .containsExactly(expected.toFloatArray());
  }

  @ParameterizedTest
  @CsvSource({
    "a a a a, 4",
    "a a b b, 2",
    "a b a b, 4",
    "a a a b, 4",
    "a b c d, 1",
    "a a b b c c, 2",
    "'', 4",
    "a a b b a a, 6"
  })
  void machinesAreNodesWhereEachHasEquallyManyRanksOneAfterAnother(String names, int each) {
    Machines machines = new Machines(names.isEmpty() ? List.of() : List.of(names.split(" ")));
    int size = names.isEmpty() ? 4 : names.split(" ").length;
    assertThat(machines.each(all(size))).isEqualTo(each);
  }

  @Test
  void ranksAskOneAnotherWhereTheyAre() throws Exception {
    TestRanks.SOCKET.run(
        3,
        world -> {
          Machines machines = Machines.of(world);
          assertThat(machines.ofRanks()).hasSize(3).containsOnly(Machines.own());
          assertThat(machines.each(all(3))).isEqualTo(3);
          assertThat(world.on(new Machines(List.of("a", "b", "b"))).machines().each(List.of(1, 2)))
              .isEqualTo(2);
          return true;
        });
  }

  @Test
  void whatGoesToOtherMachinesIsCountedOnEveryChannel() throws Exception {
    TestRanks.IN_PROCESS.run(
        3,
        world -> {
          World placed = world.on(new Machines(List.of("a", "a", "b")));
          try (NDManager scope = Torch.newManager()) {
            placed
                .group(Channel.RING, all(3))
                .startAllGather(TestRanks.numbers(scope, 0, 5))
                .await(scope);
          }
          assertThat(placed.counter().sent(Channel.RING)).isEqualTo(2 * 20);
          assertThat(placed.counter().betweenNodes(Channel.RING))
              .isEqualTo(world.rank() == 2 ? 40 : 20);
          return true;
        });
  }

  @Test
  void ranksThatDoNotFillTheNodesAreRefused() throws Exception {
    TestRanks.IN_PROCESS.run(
        3,
        world -> {
          assertThatThrownBy(() -> world.onNodes(Channel.ULYSSES, all(3), 2))
              .hasMessage("3 ranks do not fill nodes of 2");
          return true;
        });
  }

  private static List<Integer> all(int size) {
    return IntStream.range(0, size).boxed().toList();
  }
}
