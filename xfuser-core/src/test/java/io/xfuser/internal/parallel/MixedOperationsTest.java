package io.xfuser.internal.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.internal.parallel.Communicator.Split;
import io.xfuser.torchscript.Torch;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Many operations in random order on several channels, some left pending for long. */
class MixedOperationsTest {
  private static final int RANKS = 3;
  private static final int OPERATIONS = 150;

  @ParameterizedTest
  @EnumSource(TestRanks.class)
  void randomOperationsOverSeveralChannelsNeverMixUpTheirMessages(TestRanks backend)
      throws Exception {
    backend.run(
        RANKS,
        world -> {
          new Script(world).play();
          return true;
        });
  }

  /** The same random numbers on every rank, so all call the same operations. */
  private static final class Script {
    private final World world;
    private final Random same = new Random(20_241_107);
    private final List<Communicator> groups;
    private final Queue<Runnable> pending = new ArrayDeque<>();

    Script(World world) {
      this.world = world;
      this.groups =
          List.of(
              world.group(Channel.ULYSSES, List.of(0, 1, 2)),
              world.group(Channel.RING, List.of(2, 0, 1)),
              world.group(Channel.PIPEFUSION, List.of(1, 2, 0)));
    }

    void play() {
      try (NDManager scope = Torch.newManager()) {
        for (int i = 0; i < OPERATIONS; i++) {
          Communicator group = groups.get(same.nextInt(groups.size()));
          int length = same.nextInt(10) == 0 ? 300_000 : same.nextInt(50);
          operate(scope, group, length, 1000 * i);
          while (pending.size() > 6) {
            pending.remove().run();
          }
        }
        pending.forEach(Runnable::run);
      }
    }

    private void operate(NDManager scope, Communicator group, int length, int mark) {
      int before = (group.rank() + RANKS - 1) % RANKS;
      switch (same.nextInt(6)) {
        case 0 -> {
          Pending turning = group.rotate(List.of(filled(scope, length, mark + group.rank())));
          pending.add(() -> assertFilled(turning.await(scope).get(0), length, mark + before));
        }
        case 1 -> {
          Pending all = group.startAllGather(filled(scope, length, mark + group.rank()));
          pending.add(
              () -> {
                NDList shards = all.await(scope);
                for (int r = 0; r < RANKS; r++) {
                  assertFilled(shards.get(r), length, mark + r);
                }
              });
        }
        case 2 ->
            assertFilled(
                group.allReduceSum(scope, filled(scope, length, mark + group.rank())),
                length,
                3f * mark + 3);
        case 3 -> {
          NDArray all =
              group.allToAll(
                  scope,
                  filled(scope, RANKS * length, mark + group.rank()),
                  Split.even(0, (long) RANKS * length, RANKS),
                  0);
          for (int r = 0; r < RANKS; r++) {
            assertFilled(
                Torch.slice(scope, all, 0, (long) r * length, (r + 1L) * length), length, mark + r);
          }
        }
        case 4 -> {
          int root = same.nextInt(RANKS);
          List<NDArray> own =
              group.rank() == root ? List.of(filled(scope, length, mark)) : List.of();
          assertFilled(group.broadcast(scope, own, root).get(0), length, mark);
        }
        default -> group.barrier();
      }
    }

    private NDArray filled(NDManager owner, int length, float value) {
      float[] values = new float[length];
      Arrays.fill(values, value);
      try (NDManager brief = owner.newSubManager()) {
        return Torch.copy(owner, brief.create(values, new Shape(length)));
      }
    }

    private void assertFilled(NDArray x, int length, float value) {
      float[] found = x.toFloatArray();
      assertThat(found).hasSize(length);
      for (float one : found) {
        if (one != value) {
          throw new AssertionError(
              "rank " + world.rank() + " found " + one + " in place of " + value);
        }
      }
    }
  }
}
