package io.xfuser.internal.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.RankException;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** How a world or a request ends before its time, whatever carries the messages. */
class FailureContractTest {
  @ParameterizedTest
  @EnumSource(TestRanks.class)
  void whenARankFailsPendingAndLaterCallsOfTheOthersNameItAndWhatItDid(TestRanks backend)
      throws Exception {
    CyclicBarrier step = new CyclicBarrier(3);
    backend.run(
        3,
        world -> {
          world.transport().activity("in step 3 of 20");
          step.await();
          if (world.rank() == 2) {
            Thread.sleep(100);
            world.transport().fail(new IllegalStateException("no space left"));
          }
          for (int call = 0; call < 2; call++) {
            assertThatThrownBy(() -> TestRanks.all(world).barrier())
                .isExactlyInstanceOf(RankException.class)
                .hasMessage("rank 2 failed while in step 3 of 20: no space left");
          }
          step.await();
          return true;
        });
  }

  @ParameterizedTest
  @EnumSource(TestRanks.class)
  void theFirstFailureCountsWhateverTheOthersThrowBecauseOfIt(TestRanks backend) throws Exception {
    backend.run(
        4,
        world -> {
          if (world.rank() == 2) {
            world.transport().fail(new IllegalStateException("overheated"));
          } else if (world.rank() == 3) {
            assertThatThrownBy(() -> TestRanks.all(world).barrier())
                .hasMessageContaining("overheated");
            world.transport().fail(new IllegalStateException("because of rank 2"));
          } else {
            Thread.sleep(300); // until rank 3 has left as well
            assertThatThrownBy(() -> TestRanks.all(world).barrier())
                .hasMessage("rank 2 failed while starting: overheated");
          }
          return true;
        });
  }

  @ParameterizedTest
  @EnumSource(TestRanks.class)
  void cancellingReachesAllRanks(TestRanks backend) throws Exception {
    CyclicBarrier end = new CyclicBarrier(3);
    backend.run(
        3,
        world -> {
          if (world.rank() == 1) {
            world.transport().cancel("the client has gone");
          }
          assertThatThrownBy(() -> TestRanks.all(world).barrier())
              .isExactlyInstanceOf(CancelledException.class)
              .hasMessage("the client has gone");
          end.await();
          return true;
        });
  }

  @ParameterizedTest
  @EnumSource(TestRanks.class)
  void aRankThatLeavesIsMissedOnlyByThoseWhoWaitForIt(TestRanks backend) throws Exception {
    backend.run(
        3,
        world -> {
          try (NDManager scope = Torch.newManager()) {
            if (world.rank() == 1) {
              TestRanks.all(world).send(List.of(Torch.copy(scope, scope.create(5f))), 0);
              TestRanks.all(world).send(List.of(Torch.copy(scope, scope.create(6f))), 2);
              return true; // closes its world
            }
            Thread.sleep(200);
            // what it sent before is still there, and the others go on
            assertThat(TestRanks.all(world).receive(1).await(scope).get(0).getFloat())
                .isEqualTo(world.rank() == 0 ? 5 : 6);
            world.group(Channel.CFG, List.of(0, 2)).barrier();
            assertThatThrownBy(() -> TestRanks.all(world).receive(1).await(scope))
                .hasMessage(
                    "rank 1 has left while rank %d waited for it in world receive"
                        .formatted(world.rank()));
            world.group(Channel.CFG, List.of(0, 2)).barrier();
          }
          return true;
        });
  }

  @Test
  void waitingTooLongNamesAxisOperationAndPeer() {
    try (World world = new World(new InProcessRanks(2, Duration.ofMillis(50)).transport(0));
        NDManager scope = Torch.newManager()) {
      Communicator ulysses = world.group(Channel.ULYSSES, List.of(0, 1));
      assertThatThrownBy(
              () ->
                  ulysses.allToAll(
                      scope,
                      Torch.copy(scope, scope.create(new float[4])),
                      Communicator.Split.even(0, 4, 2),
                      0))
          .isExactlyInstanceOf(CommunicationException.class)
          .hasMessage("rank 0 waited 0.05 s for rank 1 in ulysses all-to-all");
    }
  }
}
