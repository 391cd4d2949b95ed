package io.xfuser.internal.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.internal.parallel.Communicator.Split;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What every communicator promises, whatever carries its messages. */
class CommunicatorContractTest {
  private static final boolean ALL = "all".equals(System.getProperty("xfuser.layouts"));

  /** What is computed of messages is alike for all; how they travel is not. */
  static Stream<Arguments> worlds() {
    return Stream.of(TestRanks.values())
        .flatMap(
            backend ->
                IntStream.rangeClosed(1, ALL || backend == TestRanks.IN_PROCESS ? 5 : 3)
                    .mapToObj(size -> Arguments.of(backend, size)));
  }

  @ParameterizedTest
  @MethodSource("worlds")
  void allGatherJoinsUnevenAndEmptyShardsInOrderOfRank(TestRanks backend, int size)
      throws Exception {
    backend.run(
        size,
        world -> {
          Communicator group = TestRanks.all(world);
          try (NDManager scope = Torch.newManager()) {
            // rank r has r columns, so rank 0 has none
            NDArray shard = TestRanks.numbers(scope, 100 * group.rank(), 2, group.rank());
            NDArray joined = group.allGather(scope, shard, 1);
            NDList expected = new NDList();
            for (int r = 0; r < size; r++) {
              expected.add(TestRanks.numbers(scope, 100 * r, 2, r));
            }
            NDArray whole = Torch.concat(scope, expected, 1);
            assertThat(joined.getShape()).isEqualTo(whole.getShape());
            assertThat(joined.toFloatArray()).containsExactly(whole.toFloatArray());
          }
          return true;
        });
  }

  @ParameterizedTest
  @MethodSource("worlds")
  void allReduceSumIsTheSameOnEveryRankAndSendsTheFormulasBytes(TestRanks backend, int size)
      throws Exception {
    long elements = 7 * 3;
    List<float[]> sums =
        backend.run(
            size,
            world -> {
              Communicator group = TestRanks.all(world);
              try (NDManager scope = Torch.newManager()) {
                NDArray sum =
                    group.allReduceSum(scope, TestRanks.numbers(scope, 0.1f + group.rank(), 7, 3));
                long part = elements * (group.rank() + 1) / size - elements * group.rank() / size;
                // all parts but its own, then its own to all others: 2 (N - 1)/N in the mean
                assertThat(world.counter().sent(Channel.WORLD))
                    .isEqualTo(4 * (elements - part + (size - 1) * part));
                assertThat(sum.getShape()).isEqualTo(new Shape(7, 3));
                return sum.toFloatArray();
              }
            });
    for (float[] sum : sums) {
      assertThat(sum).containsExactly(sums.get(0));
    }
    float offset = size * 0.1f + size * (size - 1) / 2f;
    for (int i = 0; i < elements; i++) {
      assertThat(sums.get(0)[i]).isCloseTo(offset + size * i, within());
    }
  }

  @ParameterizedTest
  @MethodSource("worlds")
  void allToAllExchangesUnevenParts(TestRanks backend, int size) throws Exception {
    backend.run(
        size,
        world -> {
          Communicator group = TestRanks.all(world);
          long columns = 2L * size + 1;
          Split split = Split.even(1, columns, size);
          try (NDManager scope = Torch.newManager()) {
            // rank r holds r + 1 rows of a matrix of size·(size + 1)/2 rows
            NDArray whole = TestRanks.numbers(scope, 0, size * (size + 1) / 2, (int) columns);
            int first = group.rank() * (group.rank() + 1) / 2;
            NDArray rows = Torch.slice(scope, whole, 0, first, first + group.rank() + 1);
            NDArray mine = group.allToAll(scope, rows, split, 0);
            long from = split.lengths().stream().limit(group.rank()).mapToLong(x -> x).sum();
            long own = split.lengths().get(group.rank());
            NDArray expected = Torch.slice(scope, whole, 1, from, from + own);
            assertThat(mine.getShape()).isEqualTo(expected.getShape());
            assertThat(mine.toFloatArray()).containsExactly(expected.toFloatArray());
            assertThat(world.counter().sent(Channel.WORLD))
                .isEqualTo(size == 1 ? 0 : 4L * (group.rank() + 1) * (columns - own));
          }
          return true;
        });
  }

  @ParameterizedTest
  @MethodSource("worlds")
  void broadcastHandsTheRootsTensorsToAll(TestRanks backend, int size) throws Exception {
    backend.run(
        size,
        world -> {
          Communicator group = TestRanks.all(world);
          try (NDManager scope = Torch.newManager()) {
            for (int root = 0; root < size; root++) {
              List<NDArray> own =
                  root == group.rank()
                      ? List.of(
                          TestRanks.numbers(scope, root, 3),
                          TestRanks.numbers(scope, 50 + root, 2, 2))
                      : List.of();
              List<NDArray> all = group.broadcast(scope, own, root);
              assertThat(all).hasSize(2);
              assertThat(all.get(0).toFloatArray()).containsExactly(root, root + 1, root + 2);
              assertThat(all.get(1).getShape()).isEqualTo(new Shape(2, 2));
            }
            assertThat(world.counter().sent(Channel.WORLD)).isEqualTo(28L * (size - 1));
          }
          return true;
        });
  }

  @ParameterizedTest
  @MethodSource("worlds")
  void rotateGoesRoundTheRing(TestRanks backend, int size) throws Exception {
    backend.run(
        size,
        world -> {
          Communicator group = TestRanks.all(world);
          try (NDManager scope = Torch.newManager()) {
            List<NDArray> held = List.of(TestRanks.numbers(scope, group.rank(), 1));
            for (int step = 1; step <= size; step++) {
              held = group.rotate(held).await(scope);
              assertThat(held.get(0).toFloatArray())
                  .containsExactly((group.rank() - step + size) % size);
            }
          }
          return true;
        });
  }

  @ParameterizedTest
  @MethodSource("worlds")
  void nobodyPassesABarrierBeforeAllHaveReachedIt(TestRanks backend, int size) throws Exception {
    boolean[] reached = new boolean[size];
    backend.run(
        size,
        world -> {
          Thread.sleep(20L * world.rank());
          synchronized (reached) {
            reached[world.rank()] = true;
          }
          TestRanks.all(world).barrier();
          synchronized (reached) {
            assertThat(reached).doesNotContain(false);
          }
          return true;
        });
  }

  @ParameterizedTest
  @EnumSource(TestRanks.class)
  void sumsOfIntegersAreExactAndOfHalfPrecisionRoundedOnce(TestRanks backend) throws Exception {
    backend.run(
        3,
        world -> {
          Communicator group = TestRanks.all(world);
          try (NDManager scope = Torch.newManager()) {
            NDArray big = Torch.copy(scope, scope.create(new long[] {(1L << 40) + group.rank()}));
            assertThat(group.allReduceSum(scope, big).toLongArray())
                .containsExactly(3 * (1L << 40) + 3);
            // 256 + 1 + 1 = 258: bf16 holds 258, but not 257, which an early rounding would need
            NDArray half =
                Torch.cast(
                    scope,
                    Torch.copy(scope, scope.create(new float[] {group.rank() == 0 ? 256 : 1})),
                    ElementType.BFLOAT16);
            NDArray sum = group.allReduceSum(scope, half);
            assertThat(ElementType.of(sum)).isEqualTo(ElementType.BFLOAT16);
            assertThat(Torch.cast(scope, sum, ElementType.FLOAT32).toFloatArray())
                .containsExactly(258);
            // three times 40000 is beyond 65504, the largest number of fp16
            NDArray large =
                Torch.cast(scope, scope.create(new float[] {-40000}), ElementType.FLOAT16);
            assertThat(
                    Torch.cast(scope, group.allReduceSum(scope, large), ElementType.FLOAT32)
                        .toFloatArray())
                .containsExactly(-65504);
          }
          return true;
        });
  }

  @ParameterizedTest
  @EnumSource(TestRanks.class)
  void groupsOfSomeRanksNumberTheirOwn(TestRanks backend) throws Exception {
    backend.run(
        4,
        world -> {
          List<Integer> members = world.rank() % 2 == 0 ? List.of(0, 2) : List.of(1, 3);
          Communicator group = world.group(Channel.ULYSSES, members);
          assertThat(group.rank()).isEqualTo(world.rank() / 2);
          try (NDManager scope = Torch.newManager()) {
            NDArray both = group.allGather(scope, TestRanks.numbers(scope, world.rank(), 1), 0);
            assertThat(both.toFloatArray())
                .containsExactly(members.get(0).floatValue(), members.get(1).floatValue());
          }
          return true;
        });
  }

  @ParameterizedTest
  @EnumSource(TestRanks.class)
  void partsThatDoNotMakeUpTheDimensionAreRejected(TestRanks backend) throws Exception {
    backend.run(
        2,
        world -> {
          Communicator group = TestRanks.all(world);
          try (NDManager scope = Torch.newManager()) {
            NDArray x = TestRanks.numbers(scope, 0, 5);
            assertThatThrownBy(() -> group.allToAll(scope, x, new Split(0, List.of(2L, 2L)), 0))
                .hasMessage("parts of [2, 2] do not make up a dimension of 5");
            assertThatThrownBy(() -> group.allToAll(scope, x, new Split(0, List.of(5L)), 0))
                .hasMessage("1 parts for 2 ranks of world");
          }
          assertThatThrownBy(() -> world.group(Channel.CFG, List.of(7, 8)))
              .hasMessage("rank " + world.rank() + " is not one of [7, 8]");
          return true;
        });
  }

  private static org.assertj.core.data.Offset<Float> within() {
    return org.assertj.core.data.Offset.offset(1e-4f);
  }
}
