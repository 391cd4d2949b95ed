package io.xfuser.internal.parallel.inprocess;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.internal.parallel.World;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PeerCopiesTest {
  @Test
  void everyTensorReceivedIsBroughtToTheReceiversDevice() throws Exception {
    InProcessRanks ranks = new InProcessRanks(2, Duration.ofSeconds(20));
    AtomicInteger landings = new AtomicInteger();
    PeerCopies.DeviceCopy landing =
        (owner, tensor) -> {
          landings.incrementAndGet();
          return Torch.copy(owner, tensor);
        };
    TestRanks.together(
        2,
        rank -> {
          Torch.prepareThread(1);
          Transport transport = new PeerCopies(ranks.transport(rank), landing);
          try (World world = new World(transport);
              NDManager scope = Torch.newManager()) {
            Communicator both = TestRanks.all(world);
            NDArray own = TestRanks.numbers(scope, 10 * rank, 2);
            both.send(List.of(own, own), 1 - rank);
            List<NDArray> arrived = both.receive(1 - rank).await(scope);
            assertThat(arrived).hasSize(2);
            assertThat(arrived.get(1).getManager()).isSameAs(scope);
            assertThat(both.allReduceSum(scope, own).toFloatArray()).containsExactly(10, 12);
          }
          return true;
        });
    assertThat(landings).hasValue(8); // two sent, and two rounds of an all-reduce, on each rank
  }
}
