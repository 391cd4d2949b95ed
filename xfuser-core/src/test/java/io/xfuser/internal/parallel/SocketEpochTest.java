package io.xfuser.internal.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.RankException;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.Test;

/** Requests that follow one another on the same sockets. */
class SocketEpochTest {
  @Test
  void theNextRequestStartsCleanAfterACancelledOne() throws Exception {
    CyclicBarrier sent = new CyclicBarrier(3);
    TestRanks.SOCKET.run(
        3,
        world -> {
          Communicator group = world.group(Channel.RING, List.of(0, 1, 2));
          try (NDManager scope = Torch.newManager()) {
            group.send(
                List.of(Torch.copy(scope, scope.create(-1f))),
                (world.rank() + 1) % 3); // never received
            sent.await();
            if (world.rank() == 1) {
              world.transport().cancel("stop");
            }
            Communicator all = world.group(Channel.WORLD, List.of(0, 1, 2));
            assertThatThrownBy(all::barrier).isInstanceOf(CancelledException.class);
            for (int request = 1; request <= 3; request++) {
              world.transport().begin();
              float received =
                  group
                      .rotate(
                          List.of(Torch.copy(scope, scope.create(request + 10f * world.rank()))))
                      .await(scope)
                      .get(0)
                      .getFloat();
              assertThat(received).isEqualTo(request + 10f * ((world.rank() + 2) % 3));
            }
          }
          return true;
        });
  }

  @Test
  void messagesAndCancellationsOfAFasterRankWaitForTheSlowerOnesNextRequest() throws Exception {
    CyclicBarrier sent = new CyclicBarrier(2);
    TestRanks.SOCKET.run(
        2,
        world -> {
          Communicator group = world.group(Channel.RING, List.of(0, 1));
          try (NDManager scope = Torch.newManager()) {
            if (world.rank() == 0) {
              world.transport().begin();
              group.send(List.of(Torch.copy(scope, scope.create(7f))), 1);
              world.transport().begin();
              world.transport().cancel("too late");
              sent.await();
              sent.await(); // before it leaves
              return true;
            }
            sent.await();
            Thread.sleep(200);
            world.transport().begin();
            assertThat(group.receive(0).await(scope).get(0).getFloat()).isEqualTo(7);
            world.transport().begin();
            assertThatThrownBy(() -> group.receive(0).await(scope))
                .isInstanceOf(CancelledException.class)
                .hasMessage("too late");
            world.transport().begin(); // cancelled again below, by this rank
            world.transport().cancel("mine");
            assertThatThrownBy(() -> group.send(List.of(), 0))
                .isInstanceOf(CancelledException.class)
                .hasMessage("mine");
            sent.await();
          }
          return true;
        });
  }

  @Test
  void theNextRequestWorksAfterARankHasFailedInOne() throws Exception {
    TestRanks.SOCKET.run(
        3,
        world -> {
          for (int request = 0; request < 3; request++) {
            world.transport().begin();
            world.transport().activity("in step " + request);
            if (world.rank() == request) {
              world.transport().fail(new IllegalStateException("no room"));
            }
            assertThatThrownBy(() -> TestRanks.all(world).barrier())
                .isExactlyInstanceOf(RankException.class)
                .hasMessage("rank %d failed while in step %d: no room", request, request);
            world.transport().begin();
            TestRanks.all(world).barrier();
          }
          return true;
        });
  }
}
