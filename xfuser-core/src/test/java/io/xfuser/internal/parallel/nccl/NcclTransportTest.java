package io.xfuser.internal.parallel.nccl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.RankException;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.internal.parallel.nccl.SimulatedCommunicator.Kind;
import io.xfuser.internal.parallel.socket.SocketWorld;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.Test;

/** What is particular to ranks with GPUs; the rest is promised by the contracts of all backends. */
class NcclTransportTest {
  private static final Duration SHORT = Duration.ofMillis(300);

  private final NcclSimulation gpus = new NcclSimulation(false);

  private <T> List<T> run(int size, TestRanks.Body<T> body) throws Exception {
    InProcessRanks ranks = new InProcessRanks(size, Duration.ofSeconds(20));
    List<T> results =
        TestRanks.together(
            size,
            rank -> {
              Torch.prepareThread(1);
              try (World world = gpus.world(ranks.transport(rank))) {
                return body.run(world);
              }
            });
    gpus.check();
    return results;
  }

  @Test
  void equalShardsAreGatheredByNcclItselfAndUnevenOnesInAGroup() throws Exception {
    run(
        3,
        world -> {
          try (NDManager scope = Torch.newManager()) {
            Communicator all = TestRanks.all(world);
            NDArray equal = TestRanks.numbers(scope, 10 * world.rank(), 2);
            assertThat(all.allGather(scope, equal, 0).toFloatArray())
                .containsExactly(0, 1, 10, 11, 20, 21);
            NDArray uneven = TestRanks.numbers(scope, 10 * world.rank(), world.rank());
            assertThat(all.allGather(scope, uneven, 0).toFloatArray()).containsExactly(10, 20, 21);
          }
          return true;
        });
    assertThat(gpus.calls(Kind.ALL_GATHER)).isEqualTo(3);
    assertThat(gpus.calls(Kind.SEND)).isEqualTo(4); // rank 0's shard has no elements
  }

  @Test
  void twoStagesHaveACommunicatorForEachDirectionAndKeepThem() throws Exception {
    run(
        2,
        world -> {
          Communicator stages = world.group(Channel.PIPEFUSION, List.of(0, 1));
          int other = 1 - world.rank();
          try (NDManager scope = Torch.newManager()) {
            for (int step = 0; step < 3; step++) {
              // both send first: with one communicator for both directions nothing would move
              Pending next = stages.receive(other);
              stages.send(List.of(TestRanks.numbers(scope, step, 4)), other);
              stages.send(List.of(TestRanks.numbers(scope, step, 5)), other);
              assertThat(next.await(scope).get(0).getFloat(0)).isEqualTo(step);
              assertThat(stages.receive(other).await(scope).get(0).size()).isEqualTo(5);
            }
          }
          return true;
        });
    assertThat(gpus.opened()).isEqualTo(4);
  }

  @Test
  void groupsOfTheSameRanksShareACommunicatorAndTextNeedsNone() throws Exception {
    run(
        2,
        world -> {
          try (NDManager scope = Torch.newManager()) {
            NDArray text = Torch.cast(scope, TestRanks.numbers(scope, 65, 3), ElementType.UINT8);
            for (Channel channel : List.of(Channel.ULYSSES, Channel.CFG, Channel.VAE)) {
              Communicator group = world.group(channel, List.of(0, 1));
              assertThat(group.allGather(scope, text, 0).size()).isEqualTo(6);
              assertThat(gpus.opened()).isZero();
            }
            TestRanks.all(world).barrier();
            for (Channel channel : List.of(Channel.ULYSSES, Channel.CFG, Channel.VAE)) {
              Communicator group = world.group(channel, List.of(0, 1));
              group.rotate(List.of(text, TestRanks.numbers(scope, 0, 3))).await(scope);
            }
          }
          return true;
        });
    assertThat(gpus.opened()).isEqualTo(2);
  }

  @Test
  void aRankThatNeverTakesPartIsNamedWithAxisAndOperation() throws Exception {
    CyclicBarrier together = new CyclicBarrier(2);
    Duration limit = Duration.ofMillis(1500); // for opening the communicators too
    gpus.freeze(1);
    InProcessRanks ranks = new InProcessRanks(2, Duration.ofSeconds(20));
    TestRanks.together(
        2,
        rank -> {
          Torch.prepareThread(1);
          Duration patience = rank == 0 ? limit : Duration.ofSeconds(20);
          try (World world = NcclWorld.over(ranks.transport(rank), gpus.library(rank), patience);
              NDManager scope = Torch.newManager()) {
            Communicator ring = world.group(Channel.RING, List.of(0, 1));
            world.transport().activity("in step 2");
            NDArray x = TestRanks.numbers(scope, 0, 2);
            together.await();
            // the kernel of rank 0 waits for that of rank 1; found out while the host does other
            // work
            assertThatThrownBy(
                    () -> {
                      ring.rotate(List.of(x));
                      checkForAWhile(world.transport());
                    })
                .isExactlyInstanceOf(RankException.class)
                .hasMessageContaining("rank 0 waited 1.5 s for rank 1 in ring rotate");
            together.await();
          }
          return true;
        });
    gpus.check();
  }

  private static void checkForAWhile(Transport transport) throws InterruptedException {
    for (int attempt = 0; attempt < 1000; attempt++) {
      Thread.sleep(20);
      transport.check();
    }
  }

  @Test
  void aCancelledRequestIsAbandonedAndTheNextOneOpensNewCommunicators() throws Exception {
    int port = TestRanks.freePort();
    CyclicBarrier together = new CyclicBarrier(2);
    TestRanks.together(
        2,
        rank -> {
          Torch.prepareThread(1);
          World sockets = SocketWorld.join(TestRanks.config(rank, 2, port, TestRanks.QUICK));
          try (World world = gpus.world(sockets.transport());
              NDManager scope = Torch.newManager()) {
            Communicator stages = world.group(Channel.PIPEFUSION, List.of(0, 1));
            world.transport().begin();
            TestRanks.all(world).barrier();
            if (rank == 0) {
              Communicator skips = world.group(Channel.SKIP, List.of(0, 1));
              skips.send(List.of(TestRanks.numbers(scope, 0, 1 << 16)), 1); // never received
              world.transport().cancel("enough");
            }
            assertThatThrownBy(() -> stages.receive(1 - world.rank()).await(scope))
                .isExactlyInstanceOf(CancelledException.class)
                .hasMessage("enough");
            together.await();
            world.transport().begin();
            stages.send(List.of(TestRanks.numbers(scope, world.rank(), 3)), 1 - world.rank());
            assertThat(stages.receive(1 - world.rank()).await(scope).get(0).toFloatArray())
                .containsExactly(1 - world.rank(), 2 - world.rank(), 3 - world.rank());
            together.await();
          }
          return true;
        });
    gpus.check();
  }

  @Test
  void withoutTheLibrariesOneSentenceSaysWhatIsMissing() {
    InProcessRanks ranks = new InProcessRanks(1, SHORT);
    assertThatThrownBy(() -> NcclWorld.over(ranks.transport(0), Device.gpu(0), SHORT))
        .isInstanceOf(CommunicationException.class)
        .hasMessageContaining("org.bytedeco:cuda-platform");
    assertThatThrownBy(() -> NcclWorld.over(ranks.transport(0), Device.cpu(), SHORT))
        .hasMessage("NCCL connects GPUs, not cpu()");
  }

  @Test
  void sendingToItselfIsRefused() throws Exception {
    run(
        1,
        world -> {
          assertThatThrownBy(() -> TestRanks.all(world).send(List.of(), 0))
              .hasMessage("rank 0 sends to itself in world");
          return new ArrayList<>();
        });
  }
}
